"""Makes types.py, params.py and _wire.py of what ../openapi.json says."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
Schema = dict[str, Any]

#: Members that are not to be seen when an object is printed.
SECRETS = {
    "TotpEnrollment": {"secret", "qrCodeUri", "qrCodeSvg"},
    "Tokens": {"accessToken"},
    "Verification": {"deviceToken"},
    "PortalResult": {"deviceToken"},
    "PortalSession": {"url"},
    "CreatedApiKey": {"key"},
    "WebhookWithSecret": {"secret"},
}
#: Objects of the WebAuthn standard: their members keep the standard's names.
STANDARD = {
    "PublicKeyCredentialCreationOptionsJSON": "CreationOptions",
    "PublicKeyCredentialRequestOptionsJSON": "RequestOptions",
    "RegistrationResponseJSON": "RegistrationResponse",
    "AuthenticationResponseJSON": "AuthenticationResponse",
}
#: What the client makes something else of.
UNWRAPPED = re.compile(r"List$")
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def snake(name: str) -> str:
    """A name as Python spells it."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", spaced).lower()


def with_names(value: Any) -> Any:
    """A part of the document in which a request's enum is a reference to it, as in answers.

    A request has its words where it uses them; the title is their name.
    """
    if isinstance(value, list):
        items: list[Any] = [*value]
        return [with_names(each) for each in items]
    if not isinstance(value, dict):
        return value
    members = {name: with_names(each) for name, each in cast("Schema", value).items()}
    if "enum" not in members or "title" not in members:
        return members
    name = {"$ref": f"#/components/schemas/{members['title']}"}
    said = {"description": members["description"]} if "description" in members else {}
    if isinstance(members["type"], str):
        return {**name, **said}
    return {"oneOf": [{**name, **said}, {"type": "null"}]}


def named_words(value: Any) -> dict[str, Schema]:
    """The enums of requests, by name."""
    found: dict[str, Schema] = {}
    items: list[Any] = []
    if isinstance(value, list):
        items = [*value]
    elif isinstance(value, dict):
        members = cast("Schema", value)
        items = list(members.values())
        if "enum" in members and "title" in members:
            words = [each for each in members["enum"] if each is not None]
            said = members.get("description", "")
            found[members["title"]] = {"type": "string", "enum": words, "description": said}
    for each in items:
        found.update(named_words(each))
    return found


def known_words(schema: Schema) -> Schema:
    """An enum of answers with its words where those of a closed one are."""
    if "x-extensible-enum" not in schema:
        return schema
    said = schema["description"].partition("Known values:")[0].strip()
    return {"type": "string", "enum": schema["x-extensible-enum"], "description": said}


def refs(schema: Any) -> set[str]:
    """The names of the schemas that one uses itself."""
    items: list[Any] = []
    found: set[str] = set()
    if isinstance(schema, list):
        items = [*schema]
    elif isinstance(schema, dict):
        members = cast("Schema", schema)
        items = list(members.values())
        if "$ref" in members:
            found.add(members["$ref"].rsplit("/", 1)[1])
    return found.union(*(refs(each) for each in items))


class Contract:
    """The schemas of the document, and which are asked with and which are answered."""

    def __init__(self, document: Schema) -> None:
        words = named_words(document)
        document = cast("Schema", with_names(document))
        schemas: dict[str, Schema] = document["components"]["schemas"]
        self.document = document
        self.schemas = {**words, **{name: known_words(each) for name, each in schemas.items()}}
        event = json.loads(json.dumps(self.schemas["AuditEvent"]))
        del event["properties"]["proof"]
        event["required"].remove("proof")
        event["description"] = "An audit event as a webhook tells it: without its proof."
        self.schemas["WebhookEventData"] = event
        operations = [o for path in document["paths"].values() for o in path.values()]
        bodies = set[str]()
        answers = set[str]()
        for operation in operations:
            bodies |= refs(operation.get("requestBody", {}).get("content", {}))
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    answers |= refs(answer.get("content", {}))
        self.bodies = bodies
        self.answered = self.reachable(answers | {"WebhookEventData"})
        self.asked = self.reachable(bodies)
        self.standard = self.reachable(set(STANDARD))

    def reachable(self, names: set[str]) -> list[str]:
        """These and all that they use, what is used before what uses it."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name in ordered:
                return
            for used in sorted(refs(self.schemas[name])):
                visit(used)
            ordered.append(name)

        for name in sorted(names):
            visit(name)
        return ordered

    def is_enum(self, name: str) -> bool:
        """Whether it is one of several words."""
        return "enum" in self.schemas[name]

    def parts(self, name: str) -> tuple[str | None, dict[str, Schema], set[str]]:
        """What a schema extends, its own members, and which of them are required."""
        schema = self.schemas[name]
        base = None
        if "allOf" in schema:
            base = schema["allOf"][0]["$ref"].rsplit("/", 1)[1]
            schema = schema["allOf"][1]
        own: dict[str, Schema] = schema.get("properties", {})
        # What tells which one it is comes first, also where it is printed.
        first = [name for name in ("id", "type", "name") if name in own]
        ordered = {name: own[name] for name in [*first, *own]}
        return base, ordered, set(schema.get("required", []))

    def members(self, name: str) -> dict[str, Schema]:
        """All members of a schema, in the order in which they are best read."""
        base, own, _ = self.parts(name)
        inherited = self.members(base) if base else {}
        return {**inherited, **own}

    # ---- types ----------------------------------------------------------------------------------

    def hint(self, schema: Schema, asking: bool, standard: bool = False) -> str:
        """The type of a value, in Python."""
        if "oneOf" in schema:
            [kind] = [each for each in schema["oneOf"] if each.get("type") != "null"]
            return f"Optional[{self.hint(kind, asking, standard)}]"
        if "$ref" in schema:
            name: str = schema["$ref"].rsplit("/", 1)[1]
            if name == "Time":
                return "Union[datetime, str]" if asking else "datetime"
            if self.is_enum(name):
                return name if asking else f"Union[{name}, str]"
            if name in self.standard and not standard:
                return STANDARD[name]
            return STANDARD.get(name, name)
        kinds: str | list[str] = schema.get("type", "object")
        if not isinstance(kinds, str):
            [kind] = [each for each in kinds if each != "null"]
            return (
                f"Optional[{self.hint(cast(Schema, {**schema, 'type': kind}), asking, standard)}]"
            )
        if kinds == "array":
            item = self.hint(schema["items"], asking, standard)
            return f"Sequence[{item}]" if asking else f"list[{item}]"
        if kinds == "object":
            values = schema.get("additionalProperties")
            is_typed = isinstance(values, dict)
            item = self.hint(cast("Schema", values), asking, standard) if is_typed else "Any"
            return f"Mapping[str, {item}]" if asking else f"dict[str, {item}]"
        if schema.get("format") == "date-time":
            return "Union[datetime, str]" if asking else "datetime"
        return SCALARS[kinds]

    def reader(self, schema: Schema) -> str:
        """What reads a value of an answer."""
        if "oneOf" in schema:
            return self.reader(schema["oneOf"][0])
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name == "Time":
                return "time"
            return "plain" if self.is_enum(name) else f"of({name})"
        inner = self.reader(schema["items"]) if "items" in schema else "plain"
        return inner.replace("of(", "each(") if inner.startswith("of(") else "plain"

    def description(self, schema: Schema) -> str:
        """What is said of a value."""
        said: str | None = schema.get("description")
        for each in schema.get("oneOf", []):
            said = said or each.get("description")
        if not said and "$ref" in schema:
            said = self.schemas[schema["$ref"].rsplit("/", 1)[1]].get("description")
        # The contract's names, as they are called here.
        text: str = said or ""
        text = re.sub(r"`([a-z]+(?:[A-Z][a-z]+)+)`", lambda m: f"`{snake(m[1])}`", text)
        return re.sub(r"\bnull\b", "None", text)


def docstring(text: str, indent: str) -> list[str]:
    """A docstring."""
    if "\\" in text:
        raise SystemExit(f"types.py: a backslash in a description: {text}")
    lines: list[str] = []
    for paragraph in text.strip().split("\n"):
        lines += textwrap.wrap(paragraph, 96 - len(indent)) or [""]
    if not lines:
        return []
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    body = [f"{indent}{line}".rstrip() for line in lines[1:]]
    return [f'{indent}"""{lines[0]}', *body, f'{indent}"""']


HEADER = """\
\"\"\"{}

Made from the service's OpenAPI document by scripts/generate.py: not to be edited.
\"\"\"
"""


def literal(contract: Contract, name: str) -> list[str]:
    values = ", ".join(json.dumps(each) for each in contract.schemas[name]["enum"])
    doc = docstring(contract.description(contract.schemas[name]), "")
    return [f"{name} = Literal[{values}]", *doc, ""]


def types_module(contract: Contract) -> str:
    """Module types: what is answered."""
    names = [n for n in contract.answered if n not in contract.standard or contract.is_enum(n)]
    names = [n for n in names if n != "Time" and not UNWRAPPED.search(n)]
    names = [n for n in names if n not in {"EmptyObject", "RecoveryCodes"}]
    enums = sorted(n for n in {*names, *contract.asked, *contract.standard} if contract.is_enum(n))
    every = enums + [n for n in names if n not in enums] + ["MfaRequired", "MfaNotRequired"]
    lines = [
        HEADER.format("What the service answers."),
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "from datetime import datetime",
        "from typing import ClassVar, Literal, Optional, Union",
        "",
        "from ._model import Member, Model, each, of, plain, time",
        "",
        f"__all__ = {json.dumps(sorted(every))}",
        "",
    ]
    for name in enums:
        lines += literal(contract, name)
    for name in names:
        if name not in enums:
            lines += model(contract, name)
        if name == "ChallengeAnswer":
            lines += decisions()
    return "\n".join(lines) + "\n"


def model(contract: Contract, name: str) -> list[str]:
    base, own, _ = contract.parts(name)
    secrets = SECRETS.get(name, set())
    said = contract.description(contract.schemas[name]) or f"{name}."
    lines = [
        "",
        "@dataclass(frozen=True, eq=False, repr=False)",
        f"class {name}({base or 'Model'}):",
    ]
    lines += [*docstring(said, "    "), ""]
    lines.append(f"    __slots__ = ({''.join(f'{json.dumps(snake(m))}, ' for m in own)})")
    lines.append("")
    for member, schema in own.items():
        lines.append(f"    {snake(member)}: {contract.hint(schema, asking=False)}")
        lines += docstring(contract.description(schema), "    ")
    rows = [
        f"        Member({json.dumps(snake(member))}, {json.dumps(member)}, "
        + contract.reader(schema)
        + (", secret=True)," if member in secrets else "),")
        for member, schema in own.items()
    ]
    inherited = f"        *{base}._members,\n" if base else ""
    lines += [
        "    _members: ClassVar[tuple[Member, ...]] = (",
        inherited + "\n".join(rows),
        "    )",
        "",
    ]
    return lines


def decisions() -> list[str]:
    """The two answers to a login, so that a type checker knows what comes with which."""

    def one(name: str, said: str, flag: str, challenge: str, tokens: str) -> list[str]:
        return [
            "",
            "@dataclass(frozen=True, eq=False, repr=False)",
            f"class {name}(ChallengeAnswer):",
            *docstring(said, "    "),
            "",
            "    __slots__ = ()",
            "",
            f"    mfa_required: Literal[{flag}]",
            f"    challenge: {challenge}",
            '    """What is to be answered, by one of its factors or a recovery code."""',
            f"    tokens: {tokens}",
            '    """An access token of the level `aal1`, if nothing is demanded."""',
            "",
        ]

    asked = "The person has to answer a challenge."
    free = "The password is enough this time; `reason` tells why."
    return [
        *one("MfaRequired", asked, "True", "Challenge", "None"),
        *one("MfaNotRequired", free, "False", "None", "Tokens"),
    ]


def typed_dict(contract: Contract, name: str, standard: bool) -> list[str]:
    """A dictionary that is asked with, or that the standard names."""
    members = contract.members(name)
    _, _, required = contract.parts(name)
    called = STANDARD.get(name, name)
    said = contract.description(contract.schemas[name]) or f"{called}."

    def body(which: list[str]) -> list[str]:
        lines: list[str] = []
        for member in which:
            # Lists and dictionaries of the standard are those that JSON makes.
            asking = not standard or (name in contract.asked and name not in contract.answered)
            hint = contract.hint(members[member], asking, standard)
            lines.append(f"    {member if standard else snake(member)}: {hint}")
            lines += docstring(contract.description(members[member]), "    ")
        return lines

    needed = [each for each in members if each in required]
    free = [each for each in members if each not in required]
    if not free:
        return ["", f"class {called}(TypedDict):", *docstring(said, "    "), "", *body(needed), ""]
    if not needed:
        head = f"class {called}(TypedDict, total=False):"
        return ["", head, *docstring(said, "    "), "", *body(free), ""]
    return [
        "",
        f"class _{called}(TypedDict):",
        *body(needed),
        "",
        f"class {called}(_{called}, total=False):",
        *docstring(said, "    "),
        "",
        *body(free),
        "",
    ]


def params_module(contract: Contract) -> str:
    """Module params: dictionaries that are asked with, and those of the WebAuthn standard."""
    asked = [
        n
        for n in contract.asked
        if n not in contract.bodies
        and n not in contract.standard
        and n != "Time"
        and not contract.is_enum(n)
    ]
    standard = [n for n in contract.standard if not contract.is_enum(n)]
    used = sorted(
        {e for n in [*asked, *standard] for e in refs(contract.schemas[n]) if contract.is_enum(e)}
    )
    every = [STANDARD.get(n, n) for n in [*asked, *standard]]
    lines = [
        HEADER.format("Dictionaries that calls take, and those of the WebAuthn standard."),
        "from __future__ import annotations",
        "",
        "from collections.abc import Sequence",
        "from typing import Optional, TypedDict, Union",
        "",
        f"from .types import {', '.join(used)}",
        "",
        f"__all__ = {json.dumps(sorted(every))}",
        "",
    ]
    for name in asked:
        lines += typed_dict(contract, name, standard=False)
    for name in standard:
        lines += typed_dict(contract, name, standard=True)
    return "\n".join(lines) + "\n"


def wire_module(contract: Contract) -> str:
    """Module _wire: what members of bodies are called in JSON, and of what shape they are."""
    lines = [
        HEADER.format("What the contract calls the members of what calls take."),
        "from __future__ import annotations",
        "",
        "#: By schema and name here: the name in JSON, and the schema of what is in it.",
        "SHAPES: dict[str, dict[str, tuple[str, str | None]]] = {",
    ]
    for name in contract.asked:
        if name in contract.standard or contract.is_enum(name) or name == "Time":
            continue
        lines.append(f"    {json.dumps(name)}: {{")
        for member, schema in contract.members(name).items():
            inner = [
                each
                for each in refs(schema)
                if each not in contract.standard and each != "Time" and not contract.is_enum(each)
            ]
            shape = json.dumps(inner[0]) if inner else "None"
            lines.append(f"        {json.dumps(snake(member))}: ({json.dumps(member)}, {shape}),")
        lines.append("    },")
    lines.append("}")
    return "\n".join(lines) + "\n"


def generate() -> dict[Path, str]:
    """The modules, by where they belong."""
    document = json.loads((ROOT.parent / "openapi.json").read_text("utf-8"))
    contract = Contract(document)
    package = ROOT / "src/countersign"
    return {
        package / "types.py": types_module(contract),
        package / "params.py": params_module(contract),
        package / "_wire.py": wire_module(contract),
    }
