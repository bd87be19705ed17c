"""The rule language: conditions over the tags of a series, and when a study is complete.

Parse, check, compile: each step has its own type, and problems are collected. Knows texts and tags.
Does not know rules, series or plugins. Importing it is cheap: Lark and the DICOM dictionary are
loaded when the first expression is read.
"""

from mroute.expr.checker import Checked, check
from mroute.expr.clauses import Clauses
from mroute.expr.compiler import compile_condition, compile_text, value_of
from mroute.expr.completion import CompletionProgram, compile_completion
from mroute.expr.errors import Code
from mroute.expr.function import Functions, RuleFunction
from mroute.expr.functions import BUILTINS
from mroute.expr.language import Language, Type
from mroute.expr.nodes import Tree
from mroute.expr.outcome import Clause, Outcome
from mroute.expr.parser import parse
from mroute.expr.printer import print_tree
from mroute.expr.program import Program
from mroute.expr.record import Record
from mroute.expr.study import StudyProgram, compile_study

__all__ = [
    "BUILTINS",
    "Checked",
    "Clause",
    "Clauses",
    "Code",
    "CompletionProgram",
    "Functions",
    "Language",
    "Outcome",
    "Program",
    "Record",
    "RuleFunction",
    "StudyProgram",
    "Tree",
    "Type",
    "check",
    "compile_completion",
    "compile_condition",
    "compile_study",
    "compile_text",
    "parse",
    "print_tree",
    "value_of",
]
