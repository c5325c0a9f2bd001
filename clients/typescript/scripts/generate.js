// Makes src/generated/schemas.ts from the server's document, or says with --check that it is old.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const document = new URL("../../openapi.json", import.meta.url);
const target = new URL("../src/generated/schemas.ts", import.meta.url);

/** What is said beside a reference is lost where null may stand in its place, unless lifted. */
function lift(value) {
  if (Array.isArray(value)) return value.map(lift);
  if (typeof value !== "object" || value === null) return value;
  const lifted = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, lift(each)]));
  const description = lifted.oneOf?.find((each) => each.$ref !== undefined)?.description;
  return description === undefined ? lifted : { description, ...lifted };
}

const { factory } = ts;

/** What may be left out may also be given as undefined, however strict the compiler of a caller. */
const orUndefined = (context) => {
  const undefinedType = factory.createKeywordTypeNode(ts.SyntaxKind.UndefinedKeyword);
  const visit = (node) => {
    const seen = ts.visitEachChild(node, visit, context);
    if (!ts.isPropertySignature(seen) || seen.questionToken === undefined) return seen;
    const { modifiers, name, questionToken } = seen;
    const type = factory.createUnionTypeNode([seen.type, undefinedType]);
    return factory.updatePropertySignature(seen, modifiers, name, questionToken, type);
  };
  return (node) => ts.visitNode(node, visit);
};

/** A schema as a type of its own, rather than as a member of a tree of them. */
function declaration(member) {
  const exported = [factory.createModifier(ts.SyntaxKind.ExportKeyword)];
  const { name, type } = member;
  const made = ts.isTypeLiteralNode(type)
    ? factory.createInterfaceDeclaration(exported, name, undefined, undefined, type.members)
    : factory.createTypeAliasDeclaration(exported, name, undefined, type);
  return ts.setSyntheticLeadingComments(made, ts.getSyntheticLeadingComments(member));
}

// The shapes of requests and answers alone: addresses stand in the resources.
const contract = lift({ ...JSON.parse(await readFile(document, "utf8")), paths: {} });
const tree = await openapiTS(contract, { alphabetize: true, defaultNonNullable: false });
const components = tree.find((node) => node.name?.text === "components");
const schemas = components.members.find((member) => member.name.text === "schemas");
const { transformed } = ts.transform(schemas.type.members.map(declaration), [orUndefined]);
const types = astToString(transformed)
  .replaceAll(/components\["schemas"\]\["(\w+)"\]/g, "$1")
  // What editors and the reference would show as tags that mean nothing to them.
  .replaceAll(/^ *\* (Format: .*|@enum .*|@default null)\n/gm, "")
  .replaceAll("@description ", "")
  .replaceAll(/^( *\*) {5}(?=\w)/gm, "$1 ")
  .replaceAll(/\?: \((.*) \| null\) \| undefined;/g, "?: $1 | null | undefined;")
  .replaceAll(/^( *\/\*\*)\n *\* (.*)\n *\*\/$/gm, "$1 $2 */");
const text = `// Made from clients/openapi.json by \`make clients\`; not to be edited.\n\n${types}`;

if (process.argv.includes("--check")) {
  const found = await readFile(target, "utf8").catch(() => "");
  if (found !== text) {
    console.error("typescript: src/generated/schemas.ts is old; run: make clients");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
