{# Schemas. Attached databases of other engines have fewer of them, or none to make. #}

{% macro duckdb__create_schema(relation) -%}
  {%- set engines = run_query(
    "select type from duckdb_databases() where lower(database_name)='" ~ relation.database | lower ~ "' and type != 'duckdb'"
  ) -%}
  {%- call statement('create_schema') -%}
    {%- set engine = engines.columns[0].values()[0] if engines | length > 0 else none -%}
    {%- if engine == 'sqlite' and relation.schema != 'main' -%}
      {%- do exceptions.raise_compiler_error("Schema must be 'main' when writing to sqlite, not " ~ relation.schema) -%}
    {%- elif engine not in ['sqlite', 'mysql'] -%}
      create schema if not exists {{ relation.without_identifier() }}
    {%- endif -%}
  {%- endcall -%}
{% endmacro %}

{% macro duckdb__drop_schema(relation) -%}
  {%- call statement('drop_schema') -%}
    drop schema if exists {{ relation.without_identifier() }} cascade
  {%- endcall -%}
{% endmacro %}

{% macro duckdb__list_schemas(database) -%}
  {%- set query -%}
    select schema_name
    from system.information_schema.schemata
    {{ "where lower(catalog_name) = '" ~ database | lower ~ "'" if database is not none }}
  {%- endset -%}
  {{ return(run_query(query)) }}
{% endmacro %}

{% macro duckdb__check_schema_exists(information_schema, schema) -%}
  {%- set query -%}
    select count(*)
    from system.information_schema.schemata
    where lower(schema_name) = '{{ schema | lower }}'
    and lower(catalog_name) = '{{ information_schema.database | lower }}'
  {%- endset -%}
  {{ return(run_query(query)) }}
{% endmacro %}
