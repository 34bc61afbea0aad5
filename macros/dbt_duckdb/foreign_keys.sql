{#
  Foreign keys. DuckDB will not rename or drop a table that a foreign key points at, has no way to drop the key
  alone, and remembers the referencing table under the name that it was created with. So a table with foreign keys
  is built in place, under its final name, and tables that point at a rebuilt table are dropped before it and
  rebuilt after it, in the same run.
#}

{# The constraint types of this model's contract, repeated as often as they occur. #}
{% macro enforced_constraint_types() -%}
  {%- set declared = [] -%}
  {%- if config.get('contract').enforced -%}
    {%- do declared.extend(model.get('constraints', [])) -%}
    {%- for column in model.get('columns', {}).values() -%}
      {%- do declared.extend(column.get('constraints', [])) -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(declared | map(attribute='type') | list) }}
{%- endmacro %}

{# The key constraint types of the table as it stands. #}
{% macro existing_constraint_types(relation) -%}
  {{ return(adapter.existing_key_constraint_types(relation) if relation.is_table else []) }}
{%- endmacro %}

{# Whether the table has, or had until now, foreign keys of its own. #}
{% macro has_foreign_key_constraints(relation=none) -%}
  {{ return(
    adapter.catalog_supports_foreign_keys(this.database)
    and 'foreign_key' in enforced_constraint_types() + existing_constraint_types(relation)
  ) }}
{%- endmacro %}

{# Whether foreign keys may point at it: only at a primary key or a unique constraint, present or former. #}
{% macro may_be_foreign_key_target(relation=none) -%}
  {%- if not adapter.catalog_supports_foreign_keys(this.database) -%}
    {%- do return(false) -%}
  {%- endif -%}
  {%- set types = enforced_constraint_types() + existing_constraint_types(relation) -%}
  {{ return('primary_key' in types or 'unique' in types) }}
{%- endmacro %}


{#
  Drops the table in this model's transaction, opening one even where transactions are off: a failed build has to
  bring back the table and what depended on it. Gives back what restore_foreign_key_dependents takes.
#}
{% macro drop_relation_for_rebuild(relation) -%}
  {%- do adapter.ensure_transaction() -%}
  {%- set dropped = drop_foreign_key_dependents(relation) if relation.is_table and may_be_foreign_key_target(relation) else [] -%}
  {%- do adapter.drop_relation(relation) -%}
  {{ return(dropped) }}
{%- endmacro %}


{#
  Drops the tables whose foreign keys point at the relation, directly or through others, after copying their rows
  aside; [{relation, backup}] in the order of dropping. Raises, dropping nothing, if this run would not rebuild
  every one of them from scratch. A foreign key stays within its schema, so only this one is searched.
#}
{% macro drop_foreign_key_dependents(relation) -%}
  {%- call statement('get_foreign_key_dependents', fetch_result=True) -%}
    with recursive fks as (
      select table_name, referenced_table
      from duckdb_constraints()
      where constraint_type = 'FOREIGN KEY'
        and lower(database_name) = lower('{{ adapter.escape_sql_string(relation.database) }}')
        and lower(schema_name) = lower('{{ adapter.escape_sql_string(relation.schema) }}')
        and lower(table_name) <> lower(referenced_table)
    ),
    dependents(table_name, depth) as (
      select table_name, 1
      from fks
      where lower(referenced_table) = lower('{{ adapter.escape_sql_string(relation.identifier) }}')
      union
      select fks.table_name, dependents.depth + 1
      from fks
      join dependents on lower(fks.referenced_table) = lower(dependents.table_name)
    )
    select d.table_name, d.depth, f.referenced_table
    from (select table_name, max(depth) as depth from dependents group by table_name) d
    join fks f on f.table_name = d.table_name
    order by d.depth desc, d.table_name, f.referenced_table
  {%- endcall -%}

  {#- Deepest first, which is the order to drop in; a table comes once for each table that it references. -#}
  {%- set references = {} -%}
  {%- for row in load_result('get_foreign_key_dependents').table -%}
    {%- if row[0] not in references -%}
      {%- do references.update({row[0]: []}) -%}
    {%- endif -%}
    {%- do references[row[0]].append(row[2] | lower) -%}
  {%- endfor -%}
  {%- if not references -%}
    {%- do return([]) -%}
  {%- endif -%}

  {%- set problems = _foreign_key_problems(relation, references) -%}
  {%- if problems -%}
    {%- do exceptions.raise_compiler_error(
      'Cannot replace ' ~ relation ~ ': tables point at it through foreign keys, and DuckDB lets them be dropped '
      ~ 'only if this run rebuilds them. Problem tables: ' ~ problems | join('; ')
    ) -%}
  {%- endif -%}

  {%- set dropped = [] -%}
  {%- for table in references -%}
    {%- set sides = {
      'relation': relation.incorporate(path={'identifier': table}, type='table'),
      'backup': relation.incorporate(path={'identifier': table ~ '__dbt_fk_backup'}, type='table'),
    } -%}
    {%- do drop_relation_if_exists(sides['backup']) -%}
    {%- call statement() -%}
      create table {{ sides['backup'] }} as select * from {{ sides['relation'] }}
    {%- endcall -%}
    {%- do log('Dropping ' ~ sides['relation'] ~ ': its foreign key points at ' ~ relation ~ '. It is rebuilt later in this run.', info=True) -%}
    {%- do drop_relation_if_exists(sides['relation']) -%}
    {%- do dropped.append(sides) -%}
  {%- endfor -%}
  {{ return(dropped) }}
{%- endmacro %}

{# Why dependents cannot be dropped: one sentence for each table that this run would not make anew after the relation. #}
{%- macro _foreign_key_problems(relation, references) -%}
  {%- set here = ((relation.database or '') ~ '.' ~ relation.schema) | lower -%}
  {%- set builders = {} -%}
  {%- for node in graph.nodes.values()
      if node.resource_type == 'model' and ((node.database or '') ~ '.' ~ node.schema) | lower == here -%}
    {%- do builders.update({(node.alias or node.name) | lower: node}) -%}
  {%- endfor -%}
  {%- set chain = {relation.identifier | lower: model.unique_id} -%}
  {%- for table in references if table | lower in builders -%}
    {%- do chain.update({table | lower: builders[table | lower].unique_id}) -%}
  {%- endfor -%}

  {%- set problems = [] -%}
  {%- for table, referenced in references.items() -%}
    {%- set node = builders.get(table | lower) -%}
    {%- if not node -%}
      {%- do problems.append(table ~ ' (no model makes it)') -%}
    {%- elif node.unique_id not in selected_resources -%}
      {%- do problems.append(table ~ ' (its model ' ~ node.name ~ ' is not selected)') -%}
    {%- else -%}
      {%- set ns = namespace(follows=false) -%}
      {%- for name in referenced if chain.get(name) in node.depends_on.nodes -%}
        {%- set ns.follows = true -%}
      {%- endfor -%}
      {%- set refreshed = node.config.get('full_refresh') -%}
      {%- set refreshed = flags.FULL_REFRESH if refreshed is none else refreshed -%}
      {%- if not ns.follows -%}
        {%- do problems.append(table ~ ' (its model ' ~ node.name ~ ' may run too early: write `to: ref(...)` in the foreign key)') -%}
      {%- elif node.config.materialized != 'table' and not (node.config.materialized == 'incremental' and refreshed) -%}
        {%- do problems.append(table ~ ' (its model ' ~ node.name ~ ' is ' ~ node.config.materialized ~ ' and only makes it anew with --full-refresh)') -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(problems) }}
{%- endmacro -%}

{# Puts the copies where the dependents were, so that their rows can be read until their models run; the last dropped first. #}
{% macro restore_foreign_key_dependents(dropped) -%}
  {%- for entry in dropped | reverse -%}
    {%- do log('Restoring the data of ' ~ entry['relation'] ~ '; its constraints are rebuilt later in this run', info=True) -%}
    {%- do adapter.rename_relation(entry['backup'], entry['relation']) -%}
  {%- endfor -%}
{%- endmacro %}
