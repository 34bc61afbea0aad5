{#
  A data test counts its query's rows. With `store_failures` the rows are kept as a table or view first, and
  counted there.
#}
{%- materialization test, default -%}
  {%- set relations = [] -%}
  {%- set header = (config.get('sql_header') or '') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else '' -%}
  {#- The limit goes here and not into get_test_sql, so that what is kept obeys it as well. -#}
  {%- set failing_rows = get_limit_subquery_sql(sql, config.get('limit')) -%}

  {%- if should_store_failures() -%}
    {#- `--store-failures` sets this to none, so a default in config.get would not do. -#}
    {%- set kind = config.get('store_failures_as') or 'table' -%}
    {%- if kind not in ['table', 'view'] -%}
      {%- do exceptions.raise_compiler_error("store_failures_as is 'table', 'view' or 'ephemeral', not '" ~ kind ~ "'") -%}
    {%- endif -%}

    {%- set previous = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
    {%- if previous -%}
      {%- do adapter.drop_relation(previous) -%}
    {%- endif -%}
    {%- set kept = api.Relation.create(database=database, schema=schema, identifier=model['alias'], type=kind) -%}
    {%- call statement(auto_begin=True) -%}
      {{ header }}
      {{ get_create_sql(kept, failing_rows) }}
    {%- endcall -%}
    {%- do relations.append(kept) -%}
    {%- set failing_rows = 'select * from ' ~ kept -%}
    {%- do adapter.commit() -%}
  {%- endif -%}

  {%- call statement('main', fetch_result=True) -%}
    {{ header }}
    {{ get_test_sql(failing_rows, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
  {%- endcall -%}
  {{ return({'relations': relations}) }}
{%- endmaterialization -%}
