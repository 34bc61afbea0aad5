{# Partitioning and sorting, which only DuckLake tables have. #}

{#
  The clause for the model's final table, or none: temporary and working relations have no layout, and elsewhere
  than in DuckLake the config is ignored with a warning.
#}
{% macro duckdb__get_partitioned_by(relation, temporary) -%}
  {%- if temporary -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- set configured = config.get('partitioned_by', none) -%}
  {%- if configured is none or configured == '' -%}
    {%- set configured = config.get('partition_by', none) -%}
  {%- endif -%}
  {%- if configured is none or configured == '' -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- set columns = _duckdb_layout_columns(configured, 'partitioned_by/partition_by', relation) -%}
  {{ return(none if columns is none else columns | join(', ')) }}
{%- endmacro %}

{# Sort keys are names, quoted here; a partition key may be an expression and stays as it is. #}
{% macro duckdb__get_sorted_by(relation, temporary) -%}
  {%- if temporary -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- set configured = config.get('sorted_by', none) -%}
  {%- if configured is none -%}
    {%- set configured = config.get('sort_by', none) -%}
  {%- endif -%}
  {%- if configured is none -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- set columns = _duckdb_layout_columns(configured, 'sorted_by/sort_by', relation) -%}
  {%- if columns is none -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- set quoted = [] -%}
  {%- for column in columns -%}
    {%- do quoted.append(adapter.quote(column | replace('"', '""'))) -%}
  {%- endfor -%}
  {{ return(quoted | join(', ')) }}
{%- endmacro %}

{%- macro _duckdb_layout_columns(configured, name, relation) -%}
  {%- set columns = normalize_string_or_list(configured, name) -%}
  {%- if not columns -%}
    {%- do exceptions.raise_compiler_error(name ~ ' must contain at least one column') -%}
  {%- endif -%}
  {#- What is renamed into place gets its layout there. -#}
  {%- if this is defined and relation.identifier not in [none, '', this.identifier]
      and config.get('materialized') in ['incremental', 'table'] -%}
    {%- do return(none) -%}
  {%- endif -%}
  {%- if not adapter.is_ducklake(relation) -%}
    {%- do adapter.warn_once(name ~ ' is for DuckLake tables: ignored for ' ~ relation) -%}
    {%- do return(none) -%}
  {%- endif -%}
  {{ return(columns) }}
{%- endmacro -%}

{% macro duckdb__alter_table_set_partitioned_by(relation, partitioned_by) -%}
  alter table {{ relation }} set partitioned by ({{ partitioned_by }});
{%- endmacro %}

{% macro duckdb__alter_table_set_sorted_by(relation, sorted_by) -%}
  alter table {{ relation }} set sorted by ({{ sorted_by }});
{%- endmacro %}
