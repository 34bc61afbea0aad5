{# A seed file's rows on their way into a table; `agate_table` holds them with the types found in the file. #}

{% macro create_csv_table(model, agate_table) -%}
  {{ adapter.dispatch('create_csv_table', 'dbt')(model, agate_table) }}
{%- endmacro %}

{% macro default__create_csv_table(model, agate_table) %}
  {%- set configured = model['config'].get('column_types', {}) -%}
  {%- set quoting = model['config'].get('quote_columns', none) -%}
  {%- set columns = [] -%}
  {%- for name in agate_table.column_names -%}
    {%- set type = configured.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
    {%- do columns.append(adapter.quote_seed_column(name | string, quoting) ~ ' ' ~ type) -%}
  {%- endfor -%}

  {%- set ddl = 'create table ' ~ this.render() ~ ' (' ~ columns | join(', ') ~ ')' -%}
  {%- call statement('_') -%}
    {{ ddl }}
  {%- endcall -%}
  {{ return(ddl) }}
{% endmacro %}


{# Makes room for new rows in a table that is there, and gives back the SQL that did it. #}
{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {{ adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table) }}
{%- endmacro %}

{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {%- if full_refresh -%}
    {%- do adapter.drop_relation(old_relation) -%}
    {%- do return(create_csv_table(model, agate_table)) -%}
  {%- endif -%}
  {%- do adapter.truncate_relation(old_relation) -%}
  {{ return('truncate table ' ~ old_relation.render()) }}
{% endmacro %}


{# What goes on file as the seed's statement. #}
{% macro get_csv_sql(create_or_truncate_sql, insert_sql) %}
  {{ adapter.dispatch('get_csv_sql', 'dbt')(create_or_truncate_sql, insert_sql) }}
{% endmacro %}

{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) %}
  {{ create_or_truncate_sql }};
  {{ insert_sql }}
{% endmacro %}


{# The placeholder of a bound value. #}
{% macro get_binding_char() -%}
  {{ adapter.dispatch('get_binding_char', 'dbt')() }}
{%- endmacro %}

{% macro default__get_binding_char() %}
  {{ return('%s') }}
{% endmacro %}

{# Rows in one insert. #}
{% macro get_batch_size() -%}
  {{ return(adapter.dispatch('get_batch_size', 'dbt')()) }}
{%- endmacro %}

{% macro default__get_batch_size() %}
  {{ return(10000) }}
{% endmacro %}

{% macro get_seed_column_quoted_csv(model, column_names) %}
  {%- set quoting = model['config'].get('quote_columns', none) -%}
  {%- set names = [] -%}
  {%- for name in column_names -%}
    {%- do names.append(adapter.quote_seed_column(name, quoting)) -%}
  {%- endfor -%}
  {{ return(names | join(', ')) }}
{% endmacro %}


{# Loads the rows and gives back the SQL, of the first batch only: it is shown, not run again. #}
{% macro load_csv_rows(model, agate_table) -%}
  {{ adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table) }}
{%- endmacro %}

{% macro default__load_csv_rows(model, agate_table) %}
  {{ return(_insert_csv_rows(model, agate_table)) }}
{% endmacro %}

{%- macro _insert_csv_rows(model, agate_table) -%}
  {%- set names = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {%- set marks -%}
    ({% for name in agate_table.column_names %}{{ get_binding_char() }}{{ ',' if not loop.last }}{% endfor %})
  {%- endset -%}
  {%- set sent = [] -%}
  {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
    {%- set values = [] -%}
    {%- for row in chunk -%}
      {%- do values.extend(row) -%}
    {%- endfor -%}
    {%- set insert -%}
      insert into {{ this.render() }} ({{ names }}) values {% for row in chunk %}{{ marks }}{{ ',' if not loop.last }}{% endfor %}
    {%- endset -%}
    {%- do adapter.add_query(insert, bindings=values, abridge_sql_log=True) -%}
    {%- if loop.first -%}
      {%- do sent.append(insert) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(sent[0]) }}
{%- endmacro -%}
