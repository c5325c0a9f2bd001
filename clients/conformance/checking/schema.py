"""Whether a value fits a JSON Schema, as far as the server's document uses the language.

A keyword that is not known here is an error and not passed over: a check that judges less than it
seems to is worse than none.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}

FORMATS: dict[str, Callable[[Any], bool]] = {
    "date-time": lambda value: bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(value))
    ),
    "int32": lambda value: isinstance(value, str) or -(2**31) <= value < 2**31,
    "int64": lambda value: isinstance(value, str) or -(2**63) <= value < 2**63,
    "double": lambda value: True,
    "uri": lambda value: bool(re.match(r"[a-z][a-z0-9+.-]*:", str(value))),
}

# Keywords that tell a reader something, and judge nothing.
SILENT = {"description", "example", "examples", "default", "title", "readOnly", "writeOnly"}


class Schemas:
    """The schemas of a document, which refer to each other."""

    def __init__(self, document: dict[str, Any]):
        self.document = document

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a schema, or any part of the document, is once its reference was followed."""
        while "$ref" in schema:
            target: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema

    def misfits(self, value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
        """Everything in which a value does not fit, each with the place of it."""
        for keyword, argument in schema.items():
            if keyword in SILENT:
                continue
            judge = getattr(self, f"_{keyword.replace('$', '').replace('-', '_')}", None)
            if judge is None:
                raise NotImplementedError(f"schema keyword {keyword} at {where or '/'}")
            yield from judge(value, argument, schema, where)

    def members(self, schema: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
        """What an object may have by name; None if it is no object, or may have any name."""
        schema = self.resolve(schema)
        found = dict(schema.get("properties", {}))
        for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
            found.update(self.members(part) or {})
        return found or None

    def is_closed(self, schema: dict[str, Any]) -> bool:
        """Whether an object may have no member that is not named."""
        schema = self.resolve(schema)
        parts = [*schema.get("allOf", []), *schema.get("oneOf", [])]
        return schema.get("additionalProperties") is False or any(map(self.is_closed, parts))

    def items(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        """What an array's items are; None if it is no array."""
        schema = self.resolve(schema)
        if "items" in schema:
            return schema["items"]
        parts = [*schema.get("allOf", []), *schema.get("oneOf", [])]
        return next(filter(None, map(self.items, parts)), None)

    def words(self, schema: dict[str, Any]) -> list[str]:
        """The values of an enumeration; none if it is no enumeration."""
        schema = self.resolve(schema)
        found = list(schema.get("enum", schema.get("x-extensible-enum", [])))
        for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
            found += self.words(part)
        return found

    # ---- keywords ------------------------------------------------------------------------------

    def _ref(self, value, argument, schema, where):
        yield from self.misfits(value, self.resolve({"$ref": argument}), where)

    def _type(self, value, argument, schema, where):
        types = argument if isinstance(argument, list) else [argument]
        if not any(TYPES[each](value) for each in types):
            yield f"{where or '/'}: {value!r:.60} is no {' or '.join(types)}"

    def _format(self, value, argument, schema, where):
        if argument not in FORMATS:
            raise NotImplementedError(f"schema format {argument} at {where or '/'}")
        if isinstance(value, (str, int, float)) and not FORMATS[argument](value):
            yield f"{where or '/'}: {value!r:.60} is no {argument}"

    def _enum(self, value, argument, schema, where):
        if value not in argument:
            yield f"{where or '/'}: {value!r:.60} is none of {', '.join(map(str, argument))}"

    def _x_extensible_enum(self, value, argument, schema, where):
        # A newer service may know more, but what cases have is what this one answers.
        yield from self._enum(value, argument, schema, where)

    def _properties(self, value, argument, schema, where):
        if isinstance(value, dict):
            for name, member in value.items():
                if name in argument:
                    yield from self.misfits(member, argument[name], f"{where}/{name}")

    def _required(self, value, argument, schema, where):
        if isinstance(value, dict):
            for name in argument:
                if name not in value:
                    yield f"{where or '/'}: there is no {name}"

    def _additionalProperties(self, value, argument, schema, where):
        if not isinstance(value, dict):
            return
        for name, member in value.items():
            if name in schema.get("properties", {}):
                continue
            if argument is False:
                yield f"{where or '/'}: {name} is not known"
            elif isinstance(argument, dict):
                yield from self.misfits(member, argument, f"{where}/{name}")

    def _propertyNames(self, value, argument, schema, where):
        if isinstance(value, dict):
            for name in value:
                yield from self.misfits(name, argument, f"{where}/{name}")

    def _items(self, value, argument, schema, where):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.misfits(item, argument, f"{where}/{index}")

    def _oneOf(self, value, argument, schema, where):
        misfits = [list(self.misfits(value, each, where)) for each in argument]
        fitting = misfits.count([])
        if fitting > 1:
            yield f"{where or '/'}: {value!r:.60} fits {fitting} forms of which it may have one"
        elif fitting == 0:
            # Those of the form that comes nearest, which is not that of null.
            yield from min(misfits, key=lambda each: (each[0].endswith("is no null"), len(each)))

    def _allOf(self, value, argument, schema, where):
        for each in argument:
            yield from self.misfits(value, each, where)

    def _pattern(self, value, argument, schema, where):
        if isinstance(value, str) and not re.search(argument, value):
            yield f"{where or '/'}: {value!r:.60} does not match {argument}"

    def _minimum(self, value, argument, schema, where):
        if TYPES["number"](value) and value < argument:
            yield f"{where or '/'}: {value} is below {argument}"

    def _maximum(self, value, argument, schema, where):
        if TYPES["number"](value) and value > argument:
            yield f"{where or '/'}: {value} is above {argument}"

    def _minLength(self, value, argument, schema, where):
        if isinstance(value, str) and len(value) < argument:
            yield f"{where or '/'}: {value!r:.60} is shorter than {argument}"

    def _maxLength(self, value, argument, schema, where):
        if isinstance(value, str) and len(value) > argument:
            yield f"{where or '/'}: {value!r:.60} is longer than {argument}"

    def _minItems(self, value, argument, schema, where):
        if isinstance(value, list) and len(value) < argument:
            yield f"{where or '/'}: {len(value)} items are fewer than {argument}"

    def _maxItems(self, value, argument, schema, where):
        if isinstance(value, list) and len(value) > argument:
            yield f"{where or '/'}: {len(value)} items are more than {argument}"
