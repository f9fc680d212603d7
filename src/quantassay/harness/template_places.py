"""Which values of artifacts a report prints, read from its template and not from a page."""

from collections.abc import Iterator, Mapping

import jinja2
from jinja2 import nodes

from quantassay.harness import charts
from quantassay.harness.rooms import BadUnit

# A step for any item of a list, and one for a member of any name.
ITEM, ANY = "*", "?"
_WORDS = ("id", "title", "format")
_JINJA = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701  only parses
_Bound = Mapping[str, str | None]


def printed(source: str, file: str) -> list[str]:
    """The places that a template prints, sorted, such as `universe/names/*/close`.

    A name that a loop gives is the place behind it: `*` is any item of a list, `?` a member of any name. What a
    template only asks about is not printed. Raises BadUnit where it is no template.
    """
    try:
        tree = _JINJA.parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise BadUnit(file, error.lineno, f"this is no template: {error.message}") from None
    return sorted(set(_printed(tree, {})))


def _printed(node: nodes.Node, bound: _Bound) -> Iterator[str]:
    if isinstance(node, nodes.For):
        inner = {**bound, **_loop(node, bound)}
        yield from (place for part in node.body for place in _printed(part, inner))
        yield from (place for part in node.else_ for place in _printed(part, bound))
    elif isinstance(node, nodes.If):
        parts = (*node.body, *node.elif_, *node.else_)
        yield from (place for part in parts for place in _printed(part, bound))
    elif isinstance(node, nodes.Output):
        for part in node.nodes:
            if isinstance(part, nodes.Call):
                yield from _drawn(part, bound)
            elif isinstance(part, nodes.Filter) and part.node is not None:
                yield from filter(None, (_place(one, bound) for one in (part.node, *part.args)))
    else:
        yield from (place for part in node.iter_child_nodes() for place in _printed(part, bound))


def _loop(node: nodes.For, bound: _Bound) -> dict[str, str | None]:
    """The places that the names of a loop stand for; the key of a member is none."""
    pairs = isinstance(node.iter, nodes.Filter)
    over = _place(node.iter.node if isinstance(node.iter, nodes.Filter) else node.iter, bound)
    targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
    names = [one.name for one in targets if isinstance(one, nodes.Name)]
    *keys, last = names
    return {**dict.fromkeys(keys), last: over and f"{over}/{ANY if pairs else ITEM}"}


def _drawn(call: nodes.Call, bound: _Bound) -> Iterator[str]:
    """What a chart draws of the list that it is given."""
    over = _place(call.args[0], bound) if call.args else None
    if over is None or not isinstance(call.node, nodes.Name) or call.node.name not in charts.CHARTS:
        return
    for keyword in call.kwargs:
        parts = keyword.value.items if isinstance(keyword.value, nodes.List) else [keyword.value]
        for part in parts if keyword.key not in _WORDS else ():
            if isinstance(part, nodes.Const) and isinstance(part.value, str):
                yield f"{over}/{ITEM}/{part.value}"


def _place(node: nodes.Node | None, bound: _Bound) -> str | None:
    """The place that an expression stands for; None where it is none."""
    if isinstance(node, nodes.Name):
        return bound.get(node.name, node.name)
    if isinstance(node, nodes.Getattr):
        owner = _place(node.node, bound)
        return owner and f"{owner}/{node.attr}"
    if isinstance(node, nodes.Getitem):
        owner = _place(node.node, bound)
        name = node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else ANY
        return owner and f"{owner}/{name}"
    return None
