"""Google's own description of FCM v1 (its discovery document), and a checker that holds JSON against it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any


@functools.cache
def schemas() -> dict[str, Any]:
    """Every schema of the document, by name."""
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    document: dict[str, Any] = json.loads((folder / "fcm.v1.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["schemas"]
    return found


def faults(value: object, name: str = "SendMessageRequest") -> list[str]:
    """What the named schema does not allow about a value; unknown fields are faults."""
    return list(_faults(value, {"$ref": name}, "$"))


def _faults(value: object, schema: dict[str, Any], path: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _faults(value, schemas()[schema["$ref"]], path)
        return
    kinds: dict[str, type | tuple[type, ...]] = {
        "any": object,
        "array": list,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "object": dict,
        "string": str,
    }
    if not isinstance(value, kinds[schema["type"]]) or (
        schema["type"] == "integer" and isinstance(value, bool)
    ):
        yield f"{path} is no {schema['type']}"
    elif isinstance(value, dict) and schema["type"] == "object":
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if inner is None:
                yield f"{path}.{key} is unknown"
            else:
                yield from _faults(item, inner, f"{path}.{key}")
    elif isinstance(value, list) and schema["type"] == "array":
        for index, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{path}[{index}]")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of {schema['enum']}"
    elif schema.get("format") == "google-duration" and not re.fullmatch(r"\d+(\.\d{1,9})?s", str(value)):
        yield f"{path} is no duration"
