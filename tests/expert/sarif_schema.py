"""The part of the SARIF 2.1.0 schema that our logs use, written from the standard (OASIS, sections 3.13 to 3.58)."""

from typing import Any

_URI = {"type": "string", "format": "uri-reference"}
_TEXT = {"type": "string"}
_INDEX = {"type": "integer", "minimum": -1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_BAG = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": _TEXT}}}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _many(item: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, **more}


_MULTIFORMAT = _object(["text"], text=_TEXT, markdown=_TEXT)
_MESSAGE = {
    **_object([], text=_TEXT, markdown=_TEXT, id=_TEXT, arguments=_many(_TEXT)),
    "anyOf": [{"required": ["text"]}, {"required": ["id"]}],
}
_ARTIFACT = _object([], uri=_URI, uriBaseId=_TEXT, index=_INDEX, description=_MESSAGE)
_REGION = _object(
    [],
    startLine={"type": "integer", "minimum": 1},
    endLine={"type": "integer", "minimum": 1},
    startColumn={"type": "integer", "minimum": 1},
    endColumn={"type": "integer", "minimum": 1},
)
_LOCATION = _object(
    [],
    id={"type": "integer", "minimum": -1},
    physicalLocation=_object([], artifactLocation=_ARTIFACT, region=_REGION),
    message=_MESSAGE,
)
_RULE = _object(
    ["id"],
    id=_TEXT,
    name=_TEXT,
    shortDescription=_MULTIFORMAT,
    fullDescription=_MULTIFORMAT,
    defaultConfiguration=_object([], enabled={"type": "boolean"}, level=_LEVEL),
    helpUri={"type": "string", "format": "uri"},
    properties=_BAG,
)
_SUPPRESSION = _object(
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=_TEXT,
)
_RESULT = _object(
    ["message"],
    ruleId=_TEXT,
    ruleIndex=_INDEX,
    level=_LEVEL,
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    message=_MESSAGE,
    locations=_many(_LOCATION),
    relatedLocations=_many(_LOCATION, uniqueItems=True),
    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
    rank={"type": "number", "minimum": -1, "maximum": 100},
    suppressions=_many(_SUPPRESSION, uniqueItems=True),
    properties=_BAG,
)
_NOTIFICATION = _object(["message"], message=_MESSAGE, level=_LEVEL, descriptor=_object([], id=_TEXT))
_INVOCATION = _object(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_many(_NOTIFICATION),
)
_DRIVER = _object(
    ["name"], name=_TEXT, semanticVersion=_TEXT, informationUri=_URI, rules=_many(_RULE, uniqueItems=True)
)
_RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    originalUriBaseIds={"type": "object", "additionalProperties": _ARTIFACT},
    results=_many(_RESULT),
    invocations=_many(_INVOCATION),
)
SARIF: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_object(
        ["version", "runs"],
        **{"$schema": {"type": "string", "format": "uri"}, "version": {"enum": ["2.1.0"]}, "runs": _many(_RUN)},
    ),
}
