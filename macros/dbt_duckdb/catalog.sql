{# Every relation and column of some schemas, or of some relations, with their comments: what the docs show. #}

{% macro duckdb__get_catalog(information_schema, schemas) -%}
  {{ return(_duckdb_run_catalog_query(information_schema, duckdb__get_catalog_schemas_where_clause_sql(schemas))) }}
{%- endmacro %}

{% macro duckdb__get_catalog_relations(information_schema, relations) -%}
  {{ return(_duckdb_run_catalog_query(information_schema, duckdb__get_catalog_relations_where_clause_sql(relations))) }}
{%- endmacro %}

{%- macro _duckdb_run_catalog_query(information_schema, condition) -%}
  {%- set query -%}
    with tables as (
      {{ duckdb__get_catalog_tables_sql(information_schema) }}
      {{ condition }}
    ),
    columns as (
      {{ duckdb__get_catalog_columns_sql(information_schema) }}
      {{ condition }}
    )
    {{ duckdb__get_catalog_results_sql() }}
  {%- endset -%}
  {{ return(run_query(query)) }}
{%- endmacro -%}


{% macro duckdb__get_catalog_tables_sql(information_schema) -%}
    select *
    from (
        {% for listing, r, name, kind in [('tables', 't', 'table_name', 'BASE TABLE'), ('views', 'v', 'view_name', 'VIEW')] -%}
        select
            {{ r }}.database_name as table_database,
            {{ r }}.schema_name as table_schema,
            {{ r }}.{{ name }} as table_name,
            '{{ kind }}' as table_type,
            {{ r }}.comment as table_comment
        from duckdb_{{ listing }}() {{ r }}
        where upper({{ r }}.database_name) = upper('{{ information_schema.database }}')
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    ) catalog_tables
{%- endmacro %}

{% macro duckdb__get_catalog_columns_sql(information_schema) -%}
    select *
    from (
        select
            c.database_name as table_database,
            c.schema_name as table_schema,
            c.table_name as table_name,
            c.column_name as column_name,
            c.column_index as column_index,
            c.data_type as column_type,
            c.comment as column_comment
        from duckdb_columns() c
        where upper(c.database_name) = upper('{{ information_schema.database }}')
    ) catalog_columns
{%- endmacro %}

{% macro duckdb__get_catalog_results_sql() -%}
    select
        tables.table_database,
        tables.table_schema,
        tables.table_name,
        tables.table_type,
        tables.table_comment,
        columns.column_name,
        columns.column_index,
        columns.column_type,
        columns.column_comment,
        null as table_owner
    from tables
    join columns using (table_database, table_schema, table_name)
    order by table_schema, table_name, column_index
{%- endmacro %}


{% macro duckdb__get_catalog_schemas_where_clause_sql(schemas) -%}
  {%- set choices = [] -%}
  {%- for schema in schemas -%}
    {%- do choices.append("upper(table_schema) = upper('" ~ schema ~ "')") -%}
  {%- endfor -%}
  where {{ '(' ~ choices | join(' or ') ~ ')' if choices else '1 = 0' }}
{%- endmacro %}

{# A relation without an identifier stands for its whole schema. #}
{% macro duckdb__get_catalog_relations_where_clause_sql(relations) -%}
  {%- set choices = [] -%}
  {%- for relation in relations -%}
    {%- if not relation.schema -%}
      {%- do exceptions.raise_compiler_error('`get_catalog_relations` requires a list of relations, each with a schema') -%}
    {%- endif -%}
    {%- set in_schema = "upper(table_schema) = upper('" ~ relation.schema ~ "')" -%}
    {%- if relation.identifier -%}
      {%- do choices.append('(' ~ in_schema ~ " and upper(table_name) = upper('" ~ relation.identifier ~ "'))") -%}
    {%- else -%}
      {%- do choices.append('(' ~ in_schema ~ ')') -%}
    {%- endif -%}
  {%- endfor -%}
  where {{ '(' ~ choices | join(' or ') ~ ')' if choices else '1 = 0' }}
{%- endmacro %}
