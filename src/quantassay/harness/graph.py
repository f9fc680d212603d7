"""The order of building: which artifact reads which, by parameter name."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy


class Cycle(AssayError):
    """Builders that wait for each other."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(f"the builders read each other in a circle: {' reads '.join(names)}; break it")


class NoSuchArtifact(AssayError):
    """A selector that names no artifact."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = Lazy("difflib:get_close_matches")(name, names, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        super().__init__(f"no builder makes {name!r}{hint}; there are {', '.join(names)}")


class BadInput(AssayError):
    """A builder that reads what no builder may."""

    def __init__(self, builder: str, name: str) -> None:
        super().__init__(f"the builder {builder} reads {name!r}, a fact about the workspace; only gates may")


def sorter(inputs: Inputs, names: Iterable[str]) -> TopologicalSorter[str]:
    """A sorter over these artifacts. Raises UnknownName, BadInput."""
    graph: dict[str, list[str]] = {}
    wanted = set(names)
    for name in sorted(wanted):
        unit = inputs.rooms.builders[name]
        for parameter in unit.parameters:
            if inputs.source(parameter, f"{unit.file}: build").kind == "fact":
                raise BadInput(name, parameter)
        graph[name] = [p for p in unit.parameters if p in wanted]
    return TopologicalSorter(graph)


def order(inputs: Inputs, select: Iterable[str] = ()) -> tuple[str, ...]:
    """The artifacts to build, each after what it reads, ties by name. Raises Cycle, UnknownName, NoSuchArtifact.

    A selector is a name (that artifact and what it needs), `name+` (and what is made of it), or nothing for all.
    """
    builders = inputs.rooms.builders
    try:
        everything = _static_order(inputs, builders)
    except CycleError as error:
        raise Cycle(list(reversed(error.args[1]))) from error
    chosen: set[str] = set()
    for selector in select:
        name = selector.removesuffix("+")
        if name not in builders:
            raise NoSuchArtifact(name, builders)
        chosen.add(name)
        if selector.endswith("+"):
            for later in everything:
                if chosen.intersection(builders[later].parameters):
                    chosen.add(later)
    for name in reversed(everything):
        if name in chosen:
            chosen.update(p for p in builders[name].parameters if p in builders)
    return tuple(name for name in everything if name in chosen or not select)


def _static_order(inputs: Inputs, names: Iterable[str]) -> list[str]:
    ready = sorter(inputs, names)
    ready.prepare()
    found: list[str] = []
    while ready.is_active():
        batch = sorted(ready.get_ready())
        found.extend(batch)
        ready.done(*batch)
    return found
