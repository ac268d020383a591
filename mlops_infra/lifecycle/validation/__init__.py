"""Is a table what it was when the model was made? Schemas, how they are kept, and what breaks them.

::

    schema = infer(reference)                 # or SchemaKeeper.latest(...)
    report = validator("builtin").check(table, schema)
    report.require()                          # FoundError with rows and examples
"""

from mlops_infra.lifecycle.validation.check import check
from mlops_infra.lifecycle.validation.findings import Finding, Report
from mlops_infra.lifecycle.validation.infer import infer
from mlops_infra.lifecycle.validation.schema import ColumnSchema, Kind, TableSchema
from mlops_infra.lifecycle.validation.store import Files, FolderFiles, SchemaKeeper
from mlops_infra.lifecycle.validation.validators import Validator, names, validator

__all__ = [
    "ColumnSchema",
    "Files",
    "Finding",
    "FolderFiles",
    "Kind",
    "Report",
    "SchemaKeeper",
    "TableSchema",
    "Validator",
    "check",
    "infer",
    "names",
    "validator",
]
