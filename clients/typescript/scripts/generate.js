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

const OPEN = "OpenWords";

/** The enums of requests, by name: a request has its words where it uses them, with their name as title. */
function namedWords(value, found = {}) {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value.enum) && typeof value.title === "string") {
    const { description, title } = value;
    found[title] = { type: "string", enum: value.enum.filter((word) => word !== null), description };
  }
  for (const each of Object.values(value)) namedWords(each, found);
  return found;
}

/** What stands for one of several words: that word's type in requests, in answers also a newer word. */
function words(value, open) {
  if (Array.isArray(value)) return value.map((each) => words(each, open));
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value.enum) && typeof value.title === "string") {
    const { description, title, type } = value;
    const known = { $ref: `#/components/schemas/${title}`, ...(description === undefined ? {} : { description }) };
    return Array.isArray(type) ? { oneOf: [known, { type: "null" }] } : known;
  }
  const made = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, words(each, open)]));
  const name = made.$ref?.replace("#/components/schemas/", "");
  return open.has(name) ? { ...made, $ref: `${made.$ref}${OPEN}` } : made;
}

/** Enums as closed types, and beside each that answers have a name for the same and more. */
function withWords(schemas) {
  const open = new Set(Object.keys(schemas).filter((name) => schemas[name]["x-extensible-enum"]));
  const made = { ...namedWords(schemas), ...words(schemas, open) };
  for (const name of open) {
    const { description, ["x-extensible-enum"]: known } = schemas[name];
    made[name] = { type: "string", enum: known, description: description.split(/\s*Known values:/)[0] };
    made[`${name}${OPEN}`] = { type: "string" };
  }
  return made;
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
const { components, ...rest } = JSON.parse(await readFile(document, "utf8"));
const withNames = { ...components, schemas: withWords(components.schemas) };
const contract = lift({ ...rest, components: withNames, paths: {} });
const tree = await openapiTS(contract, { alphabetize: true, defaultNonNullable: false });
const branch = tree.find((node) => node.name?.text === "components");
const schemas = branch.members.find((member) => member.name.text === "schemas");
const members = schemas.type.members.filter((member) => !member.name.text.endsWith(OPEN));
const { transformed } = ts.transform(members.map(declaration), [orUndefined]);
const types = astToString(transformed)
  .replaceAll(new RegExp(`components\\["schemas"\\]\\["(\\w+)${OPEN}"\\]`, "g"), "Open<$1>")
  .replaceAll(/components\["schemas"\]\["(\w+)"\]/g, "$1")
  // What editors and the reference would show as tags that mean nothing to them.
  .replaceAll(/^ *\* (Format: .*|@enum .*|@default null)\n/gm, "")
  .replaceAll("@description ", "")
  .replaceAll(/^( *\*) {5}(?=\w)/gm, "$1 ")
  .replaceAll(/\?: \((.*) \| null\) \| undefined;/g, "?: $1 | null | undefined;")
  .replaceAll(/^( *\/\*\*)\n *\* (.*)\n *\*\/$/gm, "$1 $2 */");
const text = `// Made from clients/openapi.json by \`make clients\`; not to be edited.

/** One of the words that are known here, or one that a newer service knows. */
export type Open<Known extends string> = Known | (string & {});

${types}`;

if (process.argv.includes("--check")) {
  const found = await readFile(target, "utf8").catch(() => "");
  if (found !== text) {
    console.error("typescript: src/generated/schemas.ts is old; run: make clients");
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
