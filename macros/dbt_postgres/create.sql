{# Creating tables, and replacing what `create or replace` can replace. #}

{#
  A table under contract is declared first and filled then, since `create table … as` takes no constraints. A temporary
  one is never declared.
#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
  {%- set contracted = config.get('contract').enforced -%}
  {%- set kind = 'temporary ' if temporary else ('unlogged ' if config.get('unlogged', default=false)) -%}
  {{ config.get('sql_header', none) or '' }}

  create {{ kind }}table {{ relation }}
  {% if contracted -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif %}
  {% if contracted and not temporary -%}
    {{ get_table_columns_and_constraints() }};
  insert into {{ relation }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
  (
    {{ get_select_subquery(sql) }}
  );
  {%- else -%}
  as
  (
    {{ sql }}
  );
  {%- endif %}
{%- endmacro %}

{% macro postgres__get_replace_table_sql(relation, sql) -%}
  {{ _postgres_create_or_replace('table', relation, sql) }}
{%- endmacro %}

{% macro postgres__get_replace_view_sql(relation, sql) -%}
  {{ _postgres_create_or_replace('view', relation, sql) }}
{%- endmacro %}

{%- macro _postgres_create_or_replace(kind, relation, sql) -%}
  {%- set contracted = config.get('contract').enforced -%}
  {{ config.get('sql_header', none) or '' }}

  create or replace {{ kind }} {{ relation }}
  {% if contracted -%}
    {{ get_assert_columns_equivalent(sql) }}
    {{ get_table_columns_and_constraints() if kind == 'table' }}
  {%- endif %}
  as (
    {{ get_select_subquery(sql) if contracted and kind == 'table' else sql }}
  );
{%- endmacro -%}
