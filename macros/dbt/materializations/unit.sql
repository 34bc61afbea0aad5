{#
  A unit test runs a model's query over fixtures (they are already in `sql`, as CTEs). The types of the expected
  rows come from an empty table made of the query.
#}
{%- materialization unit, default -%}
  {%- set header = (config.get('sql_header') or '') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else '' -%}
  {%- set expected_rows = config.get('expected_rows') -%}
  {%- set expected_sql = config.get('expected_sql') -%}
  {%- set names = expected_rows[0].keys() | list if expected_rows else get_columns_in_query(sql) -%}

  {%- set typed = make_temp_relation(this.incorporate(type='table')) -%}
  {%- do run_query(get_create_table_as_sql(True, typed, get_empty_subquery_sql(sql))) -%}
  {%- set types = {} -%}
  {%- set quoted_names = {} -%}
  {%- for column in adapter.get_columns_in_relation(typed) -%}
    {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- do quoted_names.update({column.name | lower: column.quoted}) -%}
  {%- endfor -%}

  {%- set compared = [] -%}
  {%- for name in names -%}
    {%- do compared.append(quoted_names[name | lower]) -%}
  {%- endfor -%}
  {%- set expected = expected_sql or get_expected_sql(expected_rows, types, quoted_names) -%}
  {%- set query = get_unit_test_sql(sql, expected, compared) -%}

  {%- call statement('main', fetch_result=True) -%}
    {{ header }}
    {{ query }}
  {%- endcall -%}
  {%- do adapter.drop_relation(typed) -%}
  {{ return({'relations': []}) }}
{%- endmaterialization -%}
