"""Which layers of a pretrained network are used, and how its input is prepared; says what is there, no more."""

from __future__ import annotations

from knowledge.records import Evidence, Measured

from ..backbones import Backbone, backbones
from ..calls import Call, _Names, sources, texts
from ..script import Script
from ..target import target_of
from ..training import training_of
from ..values import Const, Derived, Instance, Member, Value, constant, truth
from ..values_used import Uses, uses_in
from .answers import absent, there, unknown

_LAYERS, _INPUT = "script.backbone_layers", "script.input_normalisation"
_WHERE = "the file that defines the network"
_ALL = "hidden_states"
_LISTS = ("extract_features", "get_intermediate_layers")


def used_backbones(script: Script) -> list[Backbone]:
    """Return the pretrained networks of the launch; without any, those whose features another file writes down."""
    if "used_backbones" not in script.shelf:
        script.shelf["used_backbones"] = _used_backbones(script)
    return list(script.shelf["used_backbones"])


def _used_backbones(script: Script) -> list[Backbone]:
    found = backbones(script)
    if found or not network_seen(script):
        return found
    return [each for each in backbones(script, main=False) if _is_stored(script, each)]


def network_seen(script: Script) -> bool:
    """Return whether the launch makes a network whose layers reading finds, or loads one."""
    return bool(script.calls("layer-made") or backbones(script))


def _is_stored(script: Script, backbone: Backbone) -> bool:
    """Return whether what a network gives is written to a file, to be trained on later."""
    runs = {id(run.result) for run in backbone.runs}
    trained = {call.place.path for call in script.calls("backward", main=None)}
    return backbone.call.place.path not in trained and any(
        id(each) in runs and call.place.path not in trained
        for call in script.calls("features-stored", main=None)
        for value in call.values()
        for each in sources(value, deepest=14)
    )


def measure_layers(script: Script) -> Measured:
    """Return `script.backbone_layers`: several, one, or why the question does not arise."""
    kind, _ = target_of(script)
    found = used_backbones(script)
    if not found and not network_seen(script):
        return unknown(script, _LAYERS, "no layer of a network was found", _WHERE)
    if not found:
        return there(script, _LAYERS, "no-backbone")
    if kind == "text":
        return there(script, _LAYERS, "transcription", script.of(found[0].call))
    speech = [each for each in found if not each.image]
    if not speech:
        return there(script, _LAYERS, "image-network", script.of(found[0].call))
    several = _several(script, speech)
    if several:
        return there(script, _LAYERS, "several", *several[:6])
    runs = [
        call for each in speech for call in each.runs if "forward" in call.name or call.attribute not in ("forward",)
    ]
    if not runs and not any(each.headed for each in speech) and not training_of(script).frameworks:
        return unknown(script, _LAYERS, "no run of the pretrained network was found", _WHERE)
    return absent(
        script, _LAYERS, "one", "one layer of the network is used", [*_direct(runs), *(each.call for each in speech)]
    )


def _direct(runs: list[Call]) -> list[Call]:
    """Return runs of the network itself before those of the class around it."""
    own = [call for call in runs if call.attribute == "__call__" or ":" not in call.name]
    return own or runs


def _several(script: Script, found: list[Backbone]) -> list[Evidence]:
    """Return where several layers are used: by a setting, by a package, or by the script itself."""
    calls = script.calls("several-layers", main=None if not found[0].call.main else True)
    calls += [call for call in script.trace if call.main is found[0].call.main and _weighs(call)]
    calls += [call for call in script.calls("weighted-product") if _adds_up_layers(script, call)]
    shown = [script.of(call) for call in calls]
    uses = uses_in(call for call in script.trace if call.main is found[0].call.main or not found[0].call.main)
    for value in list(uses):
        if _is_all(value, found) and _taken(value, uses):
            place = next((call.place for call in uses.calls(value)), found[0].call.place)
            shown.append(script.evidence(place, "several layers of the network"))
    return shown


def _weighs(call: Call) -> bool:
    """Return whether a setting makes the network weigh its layers."""
    named = [call.argument(name) for name in ("use_weighted_layer_sum", "output_all_hiddens")]
    set_by_hand = call.name == "=.use_weighted_layer_sum"
    if set_by_hand:
        return bool(call.arguments) and truth(call.arguments[0]) is True
    return any(value is not None and truth(value) is True for value in named)


def _adds_up_layers(script: Script, call: Call) -> bool:
    """Return whether something is weighed by the softmax of a learned vector, which knows no clip: so layers are mixed.

    Weights of frames follow from the frames; those of layers are the same for every clip (SUPERB).
    """
    soft, parameter = _Names(script.symbols["attention-weights"]), _Names(("torch.nn.Parameter", "*.Parameter"))
    made = [each.call for value in call.values() for each in sources(value, deepest=2) if isinstance(each, Instance)]
    for weights in made:
        if weights is None or not soft.has(weights.name):
            continue
        scores = weights.receiver or (weights.arguments[0] if weights.arguments else None)
        vector = scores.call if isinstance(scores, Instance) else None
        if vector is not None and parameter.has(vector.name) and is_vector(vector):
            return True
    return False


def is_vector(call: Call) -> bool:
    """Return whether a parameter is a plain vector, one number for each layer."""
    made = call.arguments[0] if call.arguments else None
    shape = made.call.arguments if isinstance(made, Instance) and made.call is not None else ()
    return len(shape) == 1


def _is_all(value: Value, found: list[Backbone]) -> bool:
    """Return whether a value is the list of all layers of one of the networks."""
    if isinstance(value, Member) and value.name == _ALL:
        return _of_run(value.owner, found)
    if isinstance(value, Derived) and value.operation in ("[]", "get") and len(value.parts) > 1:
        key = constant(value.parts[1])
        return key == _ALL and _of_run(value.parts[0], found)
    if isinstance(value, Instance) and value.call is not None and value.call.attribute == "get":
        first = constant(value.call.arguments[0]) if value.call.arguments else None
        return first == _ALL and _of_run(value.call.receiver, found)
    if isinstance(value, Derived) and value.operation in ("[0]", "[]") and value.parts:
        made = value.parts[0]
        last = constant(value.parts[1]) if len(value.parts) > 1 else 0
        listed = isinstance(made, Instance) and made.call is not None and made.call.attribute in _LISTS
        return listed and last == 0 and _of_run(made, found) and "fairseq" not in found[0].call.name
    return False


def _of_run(value: Value | None, found: list[Backbone]) -> bool:
    results = {id(run.result) for each in found for run in each.runs}
    return any(id(each) in results for each in sources(value, deepest=4))


def _taken(value: Value, uses: Uses) -> bool:
    """Return whether more than one layer is taken of the list: a slice, a loop, two numbers, or all at once."""
    numbers: set[object] = set()
    for user in uses.of(value):
        if isinstance(user, Derived) and user.operation == "[]" and len(user.parts) > 1:
            key = constant(user.parts[1], ...)
            if key is ... and not isinstance(user.parts[1], Const):
                return True
            numbers.add(key)
        elif (isinstance(user, Instance) and user.call is not None and user.call.attribute in _LOOKS) or isinstance(
            user, Member
        ):
            continue
        else:
            return True
    return len(numbers) > 1


_LARGER, _LOUDEST = ("maximum", "where", "clamp", "clip"), ("amax", "max")
_LOOKS = ("len", "isinstance", "type", "print")


def measure_input(script: Script) -> Measured:
    """Return `script.input_normalisation`: whether what a network gets has a common mean and spread."""
    prepared = script.calls("feature-extractor-run") or _offline(script)
    if prepared:
        return there(script, _INPUT, "there", *(script.of(call) for call in prepared[:6]))
    scaled = [*script.calls("normalises"), *_by_hand(script)]
    if scaled:
        return there(script, _INPUT, "there", *(script.of(call) for call in scaled[:6]))
    first = _first_layers(script)
    layers = _Names(script.symbols["normalising-layer"])
    if any(layers.has(call.name) for call in first):
        return there(script, _INPUT, "there", *(script.of(call) for call in first if layers.has(call.name)))
    elsewhere = script.calls("feature-extractor-run", main=False)
    if elsewhere and not script.calls("audio-read"):
        return there(script, _INPUT, "there", *(script.of(call) for call in elsewhere[:6]))
    found = used_backbones(script)
    bundled = [
        each for each in found if each.call.name.startswith(("torchaudio.pipelines", "speechbrain", "nemo", "whisper"))
    ]
    if bundled:
        return there(script, _INPUT, "there", *(script.of(each.call, via="framework") for each in bundled))
    known = [each for each in found if each.call.name.startswith("transformers.")]
    if found and not known:
        return unknown(
            script, _INPUT, f"what {found[0].call.name} loads decides whether it expects it", "the checkpoint"
        )
    foreign = _foreign_networks(script)
    if foreign:
        return unknown(
            script, _INPUT, f"{foreign[0].name.removesuffix('.__call__')} may normalise it", "the file that defines it"
        )
    made = [f"{name}.__call__" for name in script.symbols["spectrogram"]]
    spectra = [*script.trace.named(*made), *script.calls("spectrogram")]
    spectra.sort(key=lambda call: call.attribute != "__call__")
    loads = script.calls("audio-read") + spectra
    anchors = [
        *spectra,
        *(run for each in known for run in each.runs[:2]),
        *script.calls("audio-read"),
    ]
    if not loads and not known:
        return unknown(
            script, _INPUT, "the input is read by code that reading does not know", "the file that reads the audio"
        )
    return absent(script, _INPUT, "nothing", "input that is not normalised", anchors)


def _foreign_networks(script: Script) -> list[Call]:
    """Return where a forward runs an object of a package that no vocabulary names, so that nobody here has read it."""
    known = {name.partition(".")[0] for names in script.symbols.values() for name in names}
    return [
        call
        for call in script.trace
        if call.main and call.hook == "forward" and call.attribute == "__call__" and _is_of_a_package(call, known)
    ]


def _is_of_a_package(call: Call, known: set[str]) -> bool:
    made = isinstance(call.receiver, Instance) and call.receiver.cls is None and ":" not in call.name
    return made and call.name.partition(".")[0].isidentifier() and call.name.partition(".")[0] not in known


def _offline(script: Script) -> list[Call]:
    stored = [each for each in used_backbones(script) if not each.call.main]
    files = {each.call.place.path for each in stored}
    return [call for call in script.calls("feature-extractor-run", main=False) if call.place.path in files]


def _by_hand(script: Script) -> list[Call]:
    """Return where a mean is taken away from something, and the result divided by a spread."""
    found = []
    spread = _Names((*script.symbols["spread"], *script.symbols["root"]))
    mean = _Names((*script.symbols["mean-over-time"], "numpy.mean"))
    sums = _Names(script.symbols["sum-over-time"])
    seen: set[int] = set()
    for call in script.trace:
        if not call.main:
            continue
        for value in call.values():
            for each in sources(value, deepest=5):
                if id(each) in seen or not isinstance(each, Derived):
                    continue
                seen.add(id(each))
                if each.operation == "Sub" and _less_its_mean(each, mean):
                    found.append(call)
                if each.operation not in ("Div", "/=", "Div="):
                    continue
                if _within_range_of_loudest(each.parts[0]):
                    found.append(call)
                if _centred(each.parts[0], mean, sums) and _spreads(each.parts[-1], spread):
                    found.append(call)
    return found


def _within_range_of_loudest(value: Value) -> bool:
    """Return whether levels are kept within a range below the loudest and shifted, as Whisper's own preprocessor does.

    `(maximum(x, x.amax() - 8) + 4) / 4`: what lies far below the loudest of a clip cannot leave what the network knows.
    """
    if not isinstance(value, Derived) or value.operation not in ("Add", "Sub") or not value.parts:
        return False
    kept = value.parts[0]
    if not isinstance(kept, Instance) or kept.call is None or kept.call.attribute not in _LARGER:
        return False
    below = [each for part in kept.call.values() for each in sources(part, deepest=2)
             if isinstance(each, Derived) and each.operation == "Sub"]  # fmt: skip
    return any(
        isinstance(each, Instance) and each.call is not None and each.call.attribute in _LOUDEST
        for lower in below
        for each in sources(lower.parts[0], deepest=2)
    )


def _less_its_mean(value: Derived, mean: _Names) -> bool:
    """Return whether a mean along an axis is taken away from what it is the mean of, as of a spectrogram's bands."""
    taken = value.parts[-1]
    if not isinstance(taken, Instance) or taken.call is None or not mean.has(taken.call.name):
        return False
    along = taken.call.argument("dim", 1) or taken.call.argument("axis") or taken.call.argument("keepdim")
    return along is not None and any(each is value.parts[0] for each in taken.call.values())


def _centred(value: Value, mean: _Names, sums: _Names) -> bool:
    parts = [
        each
        for each in sources(value, deepest=4)
        if isinstance(each, Derived) and each.operation in ("Sub", "-=", "Add", "+=")
    ]
    return any(_taken_from(each.parts[-1], mean) or _written_out(each.parts[-1], sums) for each in parts)


def _written_out(value: Value, sums: _Names) -> bool:
    """Return whether a mean is taken as a sum by a count, as it must be where padding does not count."""
    made = [
        each.parts[0] for each in sources(value, deepest=2) if isinstance(each, Derived) and each.operation == "Div"
    ]
    summed = [each for part in made for each in sources(part, deepest=2) if isinstance(each, Instance) and each.call]
    return any(each.call is not None and sums.has(each.call.name) for each in summed)


def _taken_from(value: Value, mean: _Names) -> bool:
    """Return whether what is taken away is a mean: computed, or a number or name that is called so."""
    made = [
        each.call.name for each in sources(value, deepest=4) if isinstance(each, Instance) and each.call is not None
    ]
    named = any("mean" in text.lower() or text.lower() == "mu" for text in texts(value, deepest=3)) or _is_named(
        value, "mean"
    )
    return named or any(mean.has(name) for name in made) or _is_number(value)


def _spreads(value: Value, spread: _Names) -> bool:
    made = [
        each.call.name for each in sources(value, deepest=5) if isinstance(each, Instance) and each.call is not None
    ]
    said = [text.lower() for text in texts(value, deepest=3)]
    named = any(word in text for text in said for word in ("std", "var")) or any(
        _is_named(value, word) for word in ("std", "deviation")
    )
    return named or any(spread.has(name) for name in made) or _is_number(value)


def _is_number(value: Value) -> bool:
    """Return whether a value is a number with a fraction, as the mean and spread of a data set are."""
    return any(isinstance(each, Const) and isinstance(each.value, float) for each in sources(value, deepest=2))


def _is_named(value: Value, name: str) -> bool:
    return any(isinstance(each, Member) and name in each.name.lower() for each in sources(value, deepest=3))


def _first_layers(script: Script) -> list[Call]:
    """Return the first layer with weights of each network that is run, which may normalise what it gets."""
    layers = _Names((*script.symbols["weighted-layer"], *script.symbols["normalising-layer"]))
    first: dict[str, Call] = {}
    roots: set[str] = set()
    for call in script.trace:
        if not call.main or not layers.has(call.name):
            continue
        inside = [name for name in call.stack if name.rpartition(".")[2] in script.reading.callable_methods]
        root = inside[0] if inside else f"{call.place.path}:{call.stack[-1] if call.stack else ''}"
        if root not in roots:
            roots.add(root)
            first[root] = call
    return list(first.values())
