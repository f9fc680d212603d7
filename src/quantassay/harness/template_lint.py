"""What a template may say: place, format, choose and repeat. Anything that could make a number is refused."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import jinja2
from jinja2 import nodes

from quantassay.harness import charts, formats, trace
from quantassay.harness.problems import Problem

TESTS = frozenset({"none"})
_LOOP = ("first", "last")
_COMPARED = ("eq", "ne", "in", "notin")
_TAG_ALONE = re.compile(r"\s*\{%([^%]|%(?!\}))*%\}\s*|\s*\{#.*#\}\s*")
_TAG_AT_END = re.compile(r"[^+-]%\}$|#\}$")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_JINJA = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701  only parses
_BUILD = "let a builder put the value into its artifact, and place it here"
_ONE_FILE = "other files; write the whole report in one template"
# What is refused by name; everything else that is not placing, formatting, choosing or repeating is refused too.
_REFUSED: Mapping[type[nodes.Node], str] = MappingProxyType(
    {
        nodes.Concat: f"joining text; {_BUILD}",
        nodes.CondExpr: "a choice inside a value; write {% if %} around it",
        nodes.Neg: f"arithmetic; {_BUILD}",
        nodes.Pos: f"arithmetic; {_BUILD}",
        nodes.Getattr: "this value: a loop has only first and last, and a counter has no origin",
        nodes.Getitem: "an item by its number or a slice; write {% for %} over the list",
        nodes.Call: "a call; only charts are called",
        nodes.Filter: "a filter here; one format stands behind one printed value",
        nodes.Const: "a constant; place a value of an artifact",
        nodes.Assign: f"{{% set %}}; {_BUILD}",
        nodes.AssignBlock: f"{{% set %}}; {_BUILD}",
        nodes.With: f"{{% with %}}; {_BUILD}",
        nodes.Macro: "a macro; write the text where it is wanted",
        nodes.CallBlock: "{% call %}; a chart is printed like a value",
        nodes.FilterBlock: "{% filter %}; a format stands behind one printed value",
        nodes.Include: _ONE_FILE,
        nodes.Import: _ONE_FILE,
        nodes.FromImport: _ONE_FILE,
        nodes.Extends: _ONE_FILE,
        nodes.Block: _ONE_FILE,
    }
)
_Refusals = Iterator[tuple[int, str]]


def variables(source: str) -> list[str]:
    """The artifacts that a template names, sorted. Raises jinja2.TemplateSyntaxError."""
    return sorted({name.name for name in _free(_JINJA.parse(source), frozenset(charts.CHARTS))})


def _free(node: nodes.Node, bound: frozenset[str]) -> Iterator[nodes.Name]:
    """The names that no loop around them binds."""
    if isinstance(node, nodes.Name):
        if node.name not in bound:
            yield node
    elif isinstance(node, nodes.For):
        inner = bound | {"loop", *(name.name for name in node.target.find_all(nodes.Name))}
        if isinstance(node.target, nodes.Name):
            inner |= {node.target.name}
        for part in (*node.body, node.test):
            if part is not None:
                yield from _free(part, inner)
        for part in (node.iter, *node.else_):
            yield from _free(part, bound)
    else:
        for part in node.iter_child_nodes():
            yield from _free(part, bound)


def lint(file: str, source: str, literals: Sequence[str], known: Sequence[str]) -> list[Problem]:
    """Everything a template says that it may not, sorted by place.

    `literals` are the phrases with digits that its text may hold, `known` the artifacts there are.
    """
    rows = source.split("\n")

    def problem(line: int, says: str) -> Problem:
        excerpt = rows[line - 1] if 0 < line <= len(rows) else ""
        return Problem(file, line, 1, says, excerpt)

    control = _CONTROL.search(source.replace("\r\n", "\n"))
    if control:
        line = source.count("\n", 0, control.start()) + 1
        return [problem(line, f"the control character {control.group()!r} stands in the text; remove it")]
    try:
        tree = _JINJA.parse(source)
    except jinja2.TemplateSyntaxError as error:
        return [problem(error.lineno, f"this is no template: {error.message}")]
    found = [*_block(tree.body, literals), *_unknown(tree, known), *_line_ends(rows)]
    return sorted({problem(line, says) for line, says in found})


def _unknown(tree: nodes.Template, known: Sequence[str]) -> _Refusals:
    for name in _free(tree, frozenset((*known, *charts.CHARTS))):
        yield name.lineno, f"there is no artifact {name.name!r}; there are {', '.join(known) or 'none'}"


def _line_ends(rows: Sequence[str]) -> _Refusals:
    """Jinja takes the line end after a tag; behind words that would join two lines of the page."""
    for line, row in enumerate(rows, start=1):
        if _TAG_AT_END.search(row) and not _TAG_ALONE.fullmatch(row):
            yield line, "the line end after this tag is lost; put the tag on a line of its own, or close it with +%}"


def _no(node: nodes.Node) -> _Refusals:
    while isinstance(node, nodes.Getattr) and not isinstance(node.node, nodes.Name):
        node = node.node
    says = next((says for kind, says in _REFUSED.items() if isinstance(node, kind)), None)
    if says is None:
        arithmetic = isinstance(node, nodes.BinExpr)
        says = f"arithmetic; {_BUILD}" if arithmetic else f"{type(node).__name__}; place a value of an artifact"
    yield node.lineno, f"a template may not use {says}"


def _block(body: Iterable[nodes.Node], literals: Sequence[str]) -> _Refusals:
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                yield from _words(part, literals) if isinstance(part, nodes.TemplateData) else _printed(part, literals)
        elif isinstance(node, nodes.If):
            yield from _condition(node.test)
            yield from _block((*node.body, *node.elif_, *node.else_), literals)
        elif isinstance(node, nodes.For):
            yield from _repeated(node)
            yield from _block((*node.body, *node.else_), literals)
        else:
            yield from _no(node)


def _words(part: nodes.TemplateData, literals: Sequence[str]) -> _Refusals:
    for i, line in enumerate(part.data.split("\n")):
        for _, number in trace.undeclared(line, literals):
            says = f"{number!r} in the text has no origin"
            yield (
                part.lineno + i,
                f"{says}; place it from an artifact, or list its phrase as a literal in spec/90_reports.yaml",
            )


def _printed(node: nodes.Expr, literals: Sequence[str]) -> _Refusals:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in charts.CHARTS:
        yield from _chart(node, node.node.name, literals)
    elif not isinstance(node, nodes.Filter):
        if _is_place(node):
            yield node.lineno, "a value is printed without a format; add |text, |int, |amount(...) or another"
        else:
            yield from _no(node)
    elif node.name not in formats.FORMATS:
        yield node.lineno, f"there is no format {node.name!r}; there are {', '.join(formats.FORMATS)}"
    elif node.node is None or not _is_place(node.node):
        yield from _no(node.node or node)
    else:
        yield from _arguments(node)


def _arguments(node: nodes.Filter) -> _Refusals:
    least, most = formats.arity(node.name)
    if node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(node.args) <= most:
        yield node.lineno, f"|{node.name} takes {least} to {most} arguments, without names"
    for argument in node.args:
        if isinstance(argument, nodes.Const):
            if isinstance(argument.value, str) and next(trace.numbers(argument.value), None):
                yield (
                    argument.lineno,
                    f"the argument {argument.value!r} of |{node.name} holds a number; write it in words",
                )
        elif not _is_place(argument):
            yield from _no(argument)


def _chart(node: nodes.Call, name: str, literals: Sequence[str]) -> _Refusals:
    needed = {"id", *charts.CHARTS[name][0]}
    given = {keyword.key for keyword in node.kwargs}
    if len(node.args) != 1 or node.dyn_args or node.dyn_kwargs or not _is_place(node.args[0]):
        yield node.lineno, f"{name} takes one list of an artifact, and the rest by name"
    if needed - given or given - needed - {"format"}:
        yield node.lineno, f"{name} takes {', '.join(sorted(needed))}, and format if wanted"
    for keyword in node.kwargs:
        value = keyword.value
        parts = value.items if isinstance(value, nodes.List) and keyword.key in ("y", "format") else [value]
        for part in parts:
            if not isinstance(part, nodes.Const):
                # In a loop each chart takes its id from a value; whether that is one shows when the page is filled.
                if keyword.key != "id" or not _is_place(part):
                    yield from _no(part)
            elif keyword.key == "id" and not charts.is_id(part.value):
                yield part.lineno, f"{part.value!r} is no id for a chart; use small letters, digits and underscores"
            elif keyword.key == "title":
                for _, number in trace.undeclared(str(part.value), literals):
                    yield part.lineno, f"{number!r} in a title has no origin; list its phrase in spec/90_reports.yaml"


def _repeated(node: nodes.For) -> _Refusals:
    pairs = isinstance(node.iter, nodes.Filter) and node.iter.name == "items" and not node.iter.args
    over = node.iter.node if isinstance(node.iter, nodes.Filter) and pairs else node.iter
    if over is None or not _is_place(over):
        yield from _no(over or node.iter)
    names = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
    if len(names) != (2 if pairs else 1):
        yield node.lineno, "`for` takes one name for a list, and two with |items for an object"
    if node.recursive:
        yield node.lineno, "a template may not use a recursive loop"
    if node.test is not None:
        yield from _condition(node.test)


def _condition(node: nodes.Node) -> _Refusals:
    """Truth, comparison with constant text, membership in constants, and, or, not."""
    if isinstance(node, nodes.Not):
        yield from _condition(node.node)
    elif isinstance(node, nodes.And | nodes.Or):
        yield from _condition(node.left)
        yield from _condition(node.right)
    elif isinstance(node, nodes.Compare):
        yield from _comparison(node)
    elif isinstance(node, nodes.Test):
        if node.name not in TESTS or not _is_place(node.node):
            yield node.lineno, f"a template may ask only `is {', '.join(sorted(TESTS))}` of a value"
    elif not _is_place(node) and not _is_loop(node):
        yield from _no(node)


def _comparison(node: nodes.Compare) -> _Refusals:
    operand = node.ops[0]
    sides = (node.expr, operand.expr)
    if len(node.ops) != 1 or operand.op not in _COMPARED or not any(map(_is_place, sides)):
        yield (
            node.lineno,
            f"a template may compare only with ==, != and in, and only a value with constant text; {_BUILD}",
        )
    elif not all(_is_place(side) or _is_constant_text(side) for side in sides):
        yield node.lineno, f"a template may compare a value only with constant text; {_BUILD}"


def _is_constant_text(node: nodes.Expr) -> bool:
    parts = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    return all(isinstance(part, nodes.Const) and isinstance(part.value, str) for part in parts)


def _is_loop(node: nodes.Node) -> bool:
    """`loop.first` and `loop.last`; a counter would be a number without an origin."""
    return (
        isinstance(node, nodes.Getattr)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "loop"
        and node.attr in _LOOP
    )


def _is_place(node: nodes.Node) -> bool:
    """A value of an artifact: a name, and the way down from it by names, or by values that are names."""
    if isinstance(node, nodes.Getattr):
        return _is_place(node.node)
    if isinstance(node, nodes.Getitem):
        by_name = isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
        return _is_place(node.node) and (by_name or _is_place(node.arg))
    return isinstance(node, nodes.Name) and node.name != "loop" and node.name not in charts.CHARTS
