{#
  The first run makes the table. Later ones stage what changed, widen the table for new columns, and apply the
  changes in one statement. A snapshot is never rebuilt: its history is nowhere else.
#}
{%- materialization snapshot, default -%}
  {%- set there, target_relation = get_or_create_relation(
    database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table'
  ) -%}
  {%- if not target_relation.is_table -%}
    {%- do exceptions.relation_wrong_type(target_relation, 'table') -%}
  {%- endif -%}

  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {#- The config is in the context; the argument stays for strategies that still take it. -#}
  {%- set strategy_macro = strategy_dispatch(config.get('strategy')) -%}
  {%- set strategy = strategy_macro(model, 'snapshotted_data', 'source_data', model['config'], there) -%}

  {%- if not there -%}
    {%- set rows_sql = build_snapshot_table(strategy, model['compiled_code']) -%}
    {%- set build_sql = create_table_as(False, target_relation, rows_sql) -%}
  {%- else -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- do adapter.assert_valid_snapshot_target_given_strategy(target_relation, columns, strategy) -%}

    {%- set rows_sql = snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set staging = build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- do adapter.expand_target_column_types(from_relation=staging, to_relation=target_relation) -%}

    {%- set working = ['dbt_change_type', 'DBT_CHANGE_TYPE', 'dbt_unique_key', 'DBT_UNIQUE_KEY'] -%}
    {%- if strategy.unique_key | is_list -%}
      {%- for key in strategy.unique_key -%}
        {%- do working.extend(['dbt_unique_key_' ~ loop.index, 'DBT_UNIQUE_KEY_' ~ loop.index]) -%}
      {%- endfor -%}
    {%- endif -%}
    {%- do create_columns(target_relation, adapter.get_missing_columns(staging, target_relation) | rejectattr('name', 'in', working) | list) -%}
    {%- set names = [] -%}
    {%- for column in adapter.get_columns_in_relation(staging) if column.name not in working -%}
      {%- do names.append(adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- set build_sql = snapshot_merge_sql(target=target_relation, source=staging, insert_cols=names) -%}
  {%- endif -%}

  {%- do check_time_data_types(rows_sql) -%}
  {%- call statement('main') -%}
    {{ build_sql }}
  {%- endcall -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(there, full_refresh_mode=False)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- if not there -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do adapter.commit() -%}

  {%- if there -%}
    {%- do post_snapshot(staging) -%}
  {%- endif -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
