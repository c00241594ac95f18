"""What a run leaves behind that tells how it was made: its settings, and the versions it ran with; no judgement."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from ..calls import Call, sources, texts
from ..functions import nearby
from ..places import Place
from ..script import Script
from ..settings import profiles_of
from ..values import Class, Const, External, Instance, Member, Table, Value
from .answers import TRAINING_FILE, doubt, there, unknown
from .seeds import where_nothing

_FRAMEWORKS = (
    "torch",
    "tensorflow",
    "keras",
    "jax",
    "paddlepaddle",
    "tensorflow-cpu",
    "tf-nightly",
    "tensorflow-macos",
)
_CONFIGURATIONS = (".yaml", ".yml", ".json", ".toml", ".cfg", ".ini")


def measure_settings_saved(script: Script) -> Measured:
    """Return `script.settings_saved`: whether the settings of a run are written, logged or tracked."""
    name = "script.settings_saved"
    by_framework = [call for _, call in profiles_of(script, "saves-settings")]
    calls = script.calls("settings-saved", main=None)
    writes = script.calls("writes", main=None)
    written = [call for call in writes if any(_is_settings(script, value) for value in _written(call))]
    copied = [call for call in nearby(script, "copies-files") if _copies_settings(call)]
    written += [call for call in script.trace if call.main and _keeps(script, call)]
    if calls or written or copied or by_framework:
        found = [script.of(call) for call in (*calls, *written, *copied)]
        return there(script, name, True, *found, *(script.of(call, via="default") for call in by_framework))
    if why := doubt(script):
        return unknown(script, name, why, TRAINING_FILE)
    saves = script.calls("weights-saved")
    return there(
        script, name, False, *(script.of(call, "saved without the settings") for call in saves), *where_nothing(script)
    )


def _keeps(script: Script, call: Call) -> bool:
    """Return whether a function of the project that saves is handed a dictionary with the settings in it."""
    saves = ":" in call.name and script.says("saves", call.attribute.rpartition(":")[2])
    tables = [value for value in call.values() if isinstance(value, Table)]
    return bool(saves) and any(_is_settings(script, item) for table in tables for item in table.items.values())


def _written(call: Call) -> tuple[Value, ...]:
    """Return what a call writes: the configuration alone of `wandb.init`."""
    if call.name == "wandb.init":
        config = call.argument("config")
        return (config,) if config is not None else ()
    if call.attribute in _FIRST and call.arguments:
        return call.arguments[:1]  # the rest says where, and a file's name is no record of settings
    return (*call.arguments, *call.keywords.values())


def _is_settings(script: Script, value: Value) -> bool:
    """Return whether something holds the settings as a whole, not one of them."""
    return any(_whole(script, each) for each in sources(value, deepest=5))


def _whole(script: Script, each: Value) -> bool:
    if isinstance(each, Instance):
        if each.type.endswith("Namespace"):
            return True
        fields = isinstance(each.cls, Class) and any(
            "dataclass" in name or name.startswith("attr") for name in each.cls.decorators
        )
        return fields and script.says("settings-class", each.type)
    if isinstance(each, Table):
        from_file = each.place is not None and each.place.path.endswith(_CONFIGURATIONS)
        told = [item for item in each.items.values() if isinstance(item, Const) and item.via in ("config", "default")]
        flags = each.open and len(told) == len(each.items) > 0  # what `vars(args)` gives
        return from_file or flags or len(told) > 1 or _settings_like(script, each)
    return isinstance(each, (External, Member)) and script.says("all-settings", each.name)


_FIRST = ("save", "dump", "safe_dump", "dumps")
"""Functions that write down what they are given first."""
_ENOUGH_SETTINGS = 2
"""Keys of a dictionary that name a setting: one alone may be a column of the data."""


def _settings_like(script: Script, table: Table) -> bool:
    """Return whether a dictionary written by hand lists settings, such as `{"lr": 1e-3, "epochs": 5}`."""
    return sum(script.says("one-setting", str(key)) for key in table.items) >= _ENOUGH_SETTINGS


def _copies_settings(call: Call) -> bool:
    named = texts(call.arguments[0]) if call.arguments else ()
    return any(text.endswith(_CONFIGURATIONS) for text in named)


def measure_versions(script: Script) -> Measured:
    """Return `script.versions`: whether the framework's version is pinned, logged, or open."""
    name = "script.versions"
    asked = [each for each in script.requirements if each.package in _FRAMEWORKS]
    pinned = [each for each in asked if each.version]
    if pinned:
        return there(
            script,
            name,
            "pinned",
            *(script.evidence(each.place, f"{each.package} {each.version}", "explicit") for each in pinned),
        )
    said = [*script.calls("writes"), *script.trace.named("print", main=True)]
    logged = [call for call in said if any(_version(value) for value in call.arguments)]
    logged += script.calls("versions-logged")
    if logged:
        return there(script, name, "logged", *(script.of(call) for call in logged))
    if script.requirements:
        files = dict.fromkeys(each.place.path for each in script.requirements)
        places = [Place(path, 1, _last(script, path)) for path in files]
        return there(
            script,
            name,
            "open",
            *(script.evidence(place, "asks for any version") for place in places),
            _imports(script),
        )
    return there(script, name, "none", _imports(script))


def _version(value: Value) -> bool:
    return any(
        isinstance(each, External) and each.name in ("torch.__version__", "tensorflow.__version__")
        for each in sources(value, deepest=4)
    )


def _last(script: Script, path: str) -> int:
    return max(each.place.last for each in script.requirements if each.place.path == path)


def _imports(script: Script) -> Evidence:
    return script.evidence(Place(script.project.entry, 1, 12), "imports without a version")
