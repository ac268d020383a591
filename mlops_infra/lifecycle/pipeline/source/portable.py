"""Which statements of a module another process may run again, with the same outcome.

A step's process gets the module's imports, functions and constants, and never what only a run of
the notebook tells: the content of a file, a download, the result of hours of work.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from mlops_infra.lifecycle.pipeline.definition.annotations import dotted

TYPE_CHECKING = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING", "TYPE_CHECKING")
SETTING = re.compile(
    r"seed|seed_everything|manual_seed(?:_all)?|set|set_\w+|set[A-Z]\w*|use|filterwarnings"
    r"|simplefilter|basicConfig|disable|enable|register_\w+|unregister_\w+"
)
"""Names of functions that change the state of the library that they belong to."""
MUTATORS = frozenset(
    (
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
        *("update", "setdefault", "popitem", "add", "discard", "difference_update"),
        *("intersection_update", "symmetric_difference_update"),
    )
)
"""Methods that change a list, a dict, a set or a bytearray: what a constant may be."""
_CALLS = frozenset(
    (
        *("frozenset", "set", "dict", "list", "tuple", "range", "str", "int", "float", "bool"),
        *("len", "min", "max", "sum", "sorted", "round", "abs", "zip", "enumerate"),
        *("typing.NewType", "typing.TypeVar", "typing.TypedDict", "typing.NamedTuple"),
        *("collections.namedtuple", "collections.OrderedDict", "collections.defaultdict"),
        *("datetime.date", "datetime.datetime", "datetime.timedelta", "decimal.Decimal"),
        *("pathlib.Path", "pathlib.PurePosixPath", "re.compile", "logging.getLogger"),
        *("importlib.util.find_spec", "contextlib.suppress", "warnings.catch_warnings"),
    )
)
"""Functions whose outcome depends on their arguments alone, or on the image."""
_ALWAYS = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Pass, ast.Global),
)
_PARTS = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List),
    *(ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.keyword, ast.Lambda, ast.arguments),
    *(ast.arg, ast.ListComp, ast.DictComp, ast.SetComp, ast.comprehension),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


def expression(node: ast.AST | None, imported: Mapping[str, str]) -> bool:
    """Whether the value depends on nothing but constants and names of the module."""
    if node is None:
        return True
    try:
        return all(_part(each, imported) for each in _evaluated(node))
    except RecursionError:
        return False


def statement(node: ast.stmt, imported: Mapping[str, str]) -> bool:
    """Whether the statement may run again: imports, definitions, constants, blocks of them."""
    if isinstance(node, _ALWAYS):
        return True
    match node:
        case ast.Expr():
            return isinstance(node.value, ast.Constant) or change(node.value, imported)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete() | ast.Return():
            return all(expression(each, imported) for each in ast.iter_child_nodes(node))
        case ast.If() | ast.Try() | ast.With() | ast.For():
            return all(_in_block(each, imported) for each in ast.iter_child_nodes(node))
    return False


def _in_block(node: ast.AST, imported: Mapping[str, str]) -> bool:
    match node:
        case ast.stmt():
            return statement(node, imported)
        case ast.ExceptHandler():
            # what is done where an import fails may also say so, or fail
            return all(
                isinstance(each, (ast.Expr, ast.Raise)) or statement(each, imported)
                for each in node.body
            )
        case ast.withitem():
            return expression(node.context_expr, imported)
    return expression(node, imported)


def change(node: ast.expr, imported: Mapping[str, str]) -> bool:
    """Whether this is a call that sets or changes something, with arguments written out."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Attribute, ast.Name)):
        return False
    full = dotted(node.func, imported) or str(getattr(node.func, "attr", ""))
    last = full.rpartition(".")[2]
    known = last in MUTATORS or SETTING.fullmatch(last) is not None
    given = [*node.args, *node.keywords]
    return known and all(expression(each, imported) for each in (node.func, *given))


def is_type_checking(node: ast.stmt, imported: Mapping[str, str]) -> bool:
    """Whether this is `if TYPE_CHECKING:`, which no process runs."""
    return isinstance(node, ast.If) and dotted(node.test, imported) in TYPE_CHECKING


def is_main_guard(node: ast.stmt) -> bool:
    """Whether this is `if __name__ == "__main__":`, which holds in no step's process."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))
        and any(isinstance(n, ast.Constant) and n.value == "__main__" for n in ast.walk(node.test))
    )


def covers_absence(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Whether one of the handlers takes the error of a module that is not installed."""
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {each.id for each in kinds if isinstance(each, ast.Name)}
        known = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
        if None in kinds or names & known:
            return True
    return False


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that are evaluated: not the inside of a lambda."""
    yield node
    if not isinstance(node, ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _evaluated(child)


def _part(node: ast.AST, imported: Mapping[str, str]) -> bool:
    if isinstance(node, ast.Call):
        name = (dotted(node.func, imported) or "").replace("typing_extensions.", "typing.")
        return name.removeprefix("builtins.") in _CALLS
    return isinstance(node, _PARTS)
