{# Rows that a unit test gives or expects, as queries that stand in for relations. #}

{# A given input: every column of the relation it replaces, typed alike, null where the test says nothing. #}
{% macro get_fixture_sql(rows, column_name_to_data_types) %}
  {%- set quoted_names = {} -%}
  {%- if not column_name_to_data_types -%}
    {%- set original = defer_relation if defer_relation and not load_relation(this) else this -%}
    {%- set column_name_to_data_types = {} -%}
    {%- for column in adapter.get_columns_in_relation(original) -%}
      {%- do column_name_to_data_types.update({column.name | lower: column.data_type}) -%}
      {%- do quoted_names.update({column.name | lower: column.quoted}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- if not column_name_to_data_types -%}
    {%- set column_name_to_data_types = _fixture_types(rows, model.columns) -%}
  {%- endif -%}
  {%- if not column_name_to_data_types -%}
    {%- do exceptions.raise_compiler_error('The columns of the fixture ' ~ model.name ~ ' are unknown: there is no relation ' ~ this ~ ', no row, and no column with a data_type') -%}
  {%- endif -%}

  {%- set blank = {} -%}
  {%- for name, type in column_name_to_data_types.items() -%}
    {%- do blank.update({name: safe_cast('null', type) | trim}) -%}
  {%- endfor -%}
  {%- do validate_fixture_rows(rows, row_number) %}
{% for row in rows -%}
  {%- set filled = blank.copy() -%}
  {%- do filled.update(format_row(row, column_name_to_data_types)) -%}
  {{ _select_row(filled, quoted_names) }}
{{ 'union all' if not loop.last }}
{% else -%}
  {{ _select_row(blank, quoted_names) }}
  limit 0
{%- endfor %}
{% endmacro %}


{# Where the relation is not there: types as documented, else as the first value of each column tells. #}
{%- macro _fixture_types(rows, columns) -%}
  {%- set types = {} -%}
  {%- for column in columns.values() if column.data_type -%}
    {%- do types.update({column.name | lower: column.data_type}) -%}
  {%- endfor -%}
  {%- for row in rows -%}
    {%- for name, value in row.items() if value is not none and name | lower not in types -%}
      {#- All of a CSV file is text: what it would be in YAML counts. -#}
      {%- set value = fromyaml(value, value) if fixture_format == 'csv' and value is string else value -%}
      {%- if value is boolean -%}
        {%- set type = dbt.type_boolean() -%}
      {%- elif value is integer -%}
        {%- set type = dbt.type_bigint() -%}
      {%- elif value is number -%}
        {%- set type = dbt.type_float() -%}
      {%- else -%}
        {%- set type = dbt.type_string() -%}
      {%- endif -%}
      {%- do types.update({name | lower: type}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {#- Columns that no row gives a value. -#}
  {%- for row in rows -%}
    {%- for name in row if name | lower not in types -%}
      {%- do types.update({name | lower: dbt.type_string()}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(types) }}
{%- endmacro -%}


{# The expected rows: only the columns that the test names. #}
{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
{% for row in rows -%}
  {{ _select_row(format_row(row, column_name_to_data_types), column_name_to_quoted) }}
{{ 'union all' if not loop.last }}
{% else -%}
  select * from dbt_internal_unit_test_actual
  limit 0
{%- endfor %}
{% endmacro %}


{%- macro _select_row(row, quoted_names) -%}
  select{% for name, value in row.items() %} {{ value }} as {{ quoted_names.get(name, name) }}{{ ',' if not loop.last }}{% endfor %}
{%- endmacro -%}


{# {column: typed SQL literal} for one row of a fixture. Names are matched without case. #}
{%- macro format_row(row, column_name_to_data_types) -%}
  {%- set literals = {} -%}
  {%- for name, value in row.items() -%}
    {%- set name = name | lower -%}
    {%- if name not in column_name_to_data_types -%}
      {%- set owner = 'expected output' if model.resource_type == 'unit_test' else "'" ~ model.name ~ "'" -%}
      {%- do exceptions.raise_compiler_error(
        "Invalid column name: '" ~ name ~ "' in unit test fixture for " ~ owner ~ ".\n"
        ~ "Accepted columns for " ~ owner ~ " are: " ~ column_name_to_data_types.keys() | list
      ) -%}
    {%- endif -%}

    {%- set type = column_name_to_data_types[name] -%}
    {%- if value is none -%}
      {%- set value = 'null' -%}
    {%- elif value is string -%}
      {%- set value = dbt.string_literal(dbt.escape_single_quotes(value)) -%}
      {#- A length would cut the text short without a word. -#}
      {%- set type = type.split('(')[0] if 'varying' in type else type -%}
    {%- endif -%}
    {%- do literals.update({name: safe_cast(value, type)}) -%}
  {%- endfor -%}
  {{ return(literals) }}
{%- endmacro -%}


{# For adapters whose warehouse cannot take every shape of row. #}
{%- macro validate_fixture_rows(rows, row_number) -%}
  {{ return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) }}
{%- endmacro -%}

{%- macro default__validate_fixture_rows(rows, row_number) -%}
{%- endmacro -%}
