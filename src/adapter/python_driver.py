"""Runs one task for lineal on a DuckDB database: a Python model, or a plugin's load or store.

lineal sends this text to `python3 -`, with a last line that calls `main` with the task. The answer is one line of JSON on
the standard output; what the user's code prints goes to the standard error.
"""

import json
import os
import sys
import traceback
import types


class Refusal(Exception):
    """Something is missing or asked for wrongly: told without a trace. The second argument says what to do."""


def import_duckdb():
    try:
        import duckdb
    except ImportError as error:
        raise Refusal(
            "the Python at %s cannot import duckdb: %s" % (sys.executable, error),
            "Install it there (`%s -m pip install duckdb`), or name another interpreter in LINEAL_PYTHON." % sys.executable,
        )
    return duckdb


def connect(task):
    """The database as lineal itself opens it: the same options, extensions, secrets and attached databases."""
    connection = import_duckdb().connect(task["database"], config=task["config"])
    for extension in task["extensions"]:
        try:
            connection.execute(extension["load"])
        except Exception:
            connection.execute(extension["install"])
            connection.execute(extension["load"])
    for sql in task["setup"]:
        connection.execute(sql)
    prepare(connection, task)
    return connection


def prepare(connection, task):
    for sql in task["session"]:
        connection.execute(sql)


def as_module(name, code, label):
    """The code as a module of its own; `label` is the file that traces name, and its lines are found there."""
    import linecache

    module = types.ModuleType(name)
    module.__file__ = label
    linecache.cache[label] = (len(code), None, code.splitlines(True), label)
    # Pickling, dataclasses and their like look their module up.
    sys.modules[name] = module
    exec(compile(code, label, "exec"), module.__dict__)
    return module


def run_model(task):
    duckdb = import_duckdb()
    connection = connect(task)
    code = task["code"].lstrip()
    if "asyncio" in code:
        import asyncio

        asyncio.set_event_loop(asyncio.new_event_loop())
    module = as_module(task["name"], code, task["file"])
    dbt = module.dbtObj(lambda relation: connection.query("select * from " + relation))
    result = module.model(dbt, connection)
    if isinstance(result, duckdb.DuckDBPyRelation):
        # It may read temporary tables of this connection.
        module.materialize(result, connection)
    else:
        # Reading the result may run queries on the first connection while a second one writes.
        writer = connection.cursor()
        prepare(writer, task)
        module.materialize(result, writer)
        writer.close()
    connection.close()


BUILT_IN = {"delta", "excel", "gsheet", "iceberg", "sqlalchemy"}


class SourceConfig:
    """What a plugin's `load` gets: the source's names, and its meta and config under one roof."""

    def __init__(self, name, identifier, schema, database, meta, tags):
        self.name, self.identifier, self.schema, self.database = name, identifier, schema, database
        self.meta, self.tags = meta, tags

    def get(self, key, default=None):
        return self.meta.get(key, default)

    def __getitem__(self, key):
        return self.meta[key]

    def __contains__(self, key):
        return key in self.meta

    def table_name(self):
        return ".".join(part for part in (self.database, self.schema, self.identifier) if part)

    def as_dict(self):
        names = {key: getattr(self, key) for key in ("name", "identifier", "schema", "database", "tags")}
        return {**names, **self.meta}


class StoredRelation(types.SimpleNamespace):
    """The model's relation, for a plugin's `store`."""

    def __str__(self):
        return self.rendered

    def render(self):
        return self.rendered

    def to_dict(self, omit_none=False):
        return dict(vars(self))


class TargetConfig:
    """What a plugin's `store` gets."""

    def __init__(self, relation, column_list, config, location):
        self.relation, self.column_list, self.config, self.location = relation, column_list, config, location

    def as_dict(self):
        columns = [{"column": column.column, "dtype": column.dtype} for column in self.column_list]
        return {
            "relation": self.relation.to_dict(),
            "column_list": columns,
            "config": self.config,
            "location": vars(self.location),
        }


class BasePlugin:
    """What custom plugins derive from, where the package dbt-duckdb is not installed."""

    def __init__(self, name, plugin_config, credentials=None):
        self.name, self.creds = name, credentials
        self.initialize(plugin_config)

    def initialize(self, plugin_config):
        pass

    def update_connection_config(self, creds, config):
        pass

    def configure_connection(self, conn):
        pass

    def configure_cursor(self, cursor):
        pass

    def load(self, source_config):
        raise NotImplementedError("load method not implemented for " + self.name)

    def store(self, target_config):
        raise NotImplementedError("store method not implemented for " + self.name)

    def default_materialization(self):
        return "table"


def stand_in_for_dbt_duckdb():
    """The names that a custom plugin imports, as modules."""
    plugins = {"BasePlugin": BasePlugin, "PluginConfig": type("PluginConfig", (), {})}
    utils = {"SourceConfig": SourceConfig, "TargetConfig": TargetConfig}
    credentials = {"DuckDBCredentials": types.SimpleNamespace}
    contents = {"plugins": plugins, "utils": utils, "credentials": credentials}
    for path in ("dbt", "dbt.adapters", "dbt.adapters.duckdb"):
        package = sys.modules.setdefault(path, types.ModuleType(path))
        package.__path__ = getattr(package, "__path__", [])
    for name, members in contents.items():
        module = types.ModuleType("dbt.adapters.duckdb." + name)
        module.__dict__.update(members)
        sys.modules[module.__name__] = module


def plugin_of(task):
    import importlib

    given = task["plugin"]
    module_name, config = given["module"], dict(given["config"])
    built_in = module_name in BUILT_IN
    try:
        importlib.import_module("dbt.adapters.duckdb.plugins")
    except ImportError as error:
        if built_in:
            raise Refusal(
                "the plugin '%s' is part of the package dbt-duckdb: %s" % (module_name, error),
                "Install it for %s (`pip install dbt-duckdb`), or name another interpreter in LINEAL_PYTHON." % sys.executable,
            )
        stand_in_for_dbt_duckdb()
    module = importlib.import_module("dbt.adapters.duckdb.plugins." + module_name if built_in else module_name)
    if not hasattr(module, "Plugin"):
        raise Refusal("the module '%s' has no class Plugin" % module_name, "Name a module that defines one.")
    if module_name == "excel" and task.get("stored_before") and config.get("output"):
        append_to_workbook(config)
    credentials = types.SimpleNamespace(**given["credentials"])
    return module.Plugin(name=given["name"], plugin_config=config, credentials=credentials)


def append_to_workbook(config):
    """A run's second sheet: the workbook was closed after the first one."""
    output = dict(config["output"])
    if output.get("engine", "xlsxwriter") == "xlsxwriter":
        raise Refusal(
            "the excel plugin's engine xlsxwriter cannot add a sheet to a workbook that is written already",
            "Give the plugin's output `engine: openpyxl`.",
        )
    output["mode"] = "a"
    config["output"] = output


def load_source(task):
    plugin, source = plugin_of(task), SourceConfig(**task["source"])
    connection = connect(task)
    plugin.configure_connection(connection)
    plugin.configure_cursor(connection)
    table = source.table_name()
    if source.schema:
        schema = ".".join(part for part in (source.database, source.schema) if part)
        connection.execute("create schema if not exists " + schema)
    mode = source.get("save_mode", "overwrite")
    if mode in ("ignore", "error_if_exists") and exists(connection, source):
        if mode == "error_if_exists":
            raise Refusal("the source %s already exists" % table, "Drop it, or give the source another `save_mode`.")
        return
    frame = plugin.load(source)
    if frame is None:
        raise Refusal("the plugin '%s' loaded nothing for %s" % (plugin.name, table), "Its `load` has to return a data frame.")
    # A view on a data frame would end with this process: it is always a table.
    connection.register("__loaded_by_plugin", frame)
    connection.execute("create or replace table %s as select * from __loaded_by_plugin" % table)
    connection.unregister("__loaded_by_plugin")
    connection.close()


def exists(connection, source):
    query = "select count(*) from system.information_schema.tables where table_schema = ? and table_name = ?"
    values = [source.schema, source.identifier]
    if source.database:
        query, values = query + " and table_catalog = ?", values + [source.database]
    return connection.execute(query, values).fetchall()[0][0] > 0


def store_relation(task):
    plugin, target = plugin_of(task), task["target"]
    columns = [types.SimpleNamespace(**column) for column in target["columns"]]
    location = types.SimpleNamespace(**target["location"])
    location.as_dict = lambda: dict(target["location"])
    relation = StoredRelation(**target["relation"])
    plugin.store(TargetConfig(relation, columns, target["config"], location))
    # Some plugins write when they are let go of.
    del plugin
    import gc

    gc.collect()


TASKS = {"model": run_model, "load": load_source, "store": store_relation}


def trace_of(error):
    """The trace from the user's code on: the frames of this text are of no use to them."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and frames.tb_frame.f_code.co_filename == __file_of_driver__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


__file_of_driver__ = plugin_of.__code__.co_filename


def main(task):
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # The current folder is not where modules are looked for, but for the profile's `module_paths`.
    sys.path[:] = [path for path in sys.path if path] + [path for path in task["module_paths"] if path not in sys.path]
    sys.argv = [task.get("file", "")]
    said = {"ok": True}
    try:
        TASKS[task["task"]](task)
    except Refusal as refusal:
        said = {"ok": False, "message": refusal.args[0], "help": refusal.args[1]}
    except BaseException as error:
        said = {"ok": False, "trace": trace_of(error)}
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    answer.write(json.dumps(said) + "\n")
    answer.flush()
