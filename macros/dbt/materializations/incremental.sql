{#
  The first run, and a full refresh, make the table as `table` does. Any other run puts the query's rows into a
  temporary relation, brings the columns into line, and lets the strategy write the statement that moves the rows.
#}
{%- materialization incremental, default -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set temp_relation = make_temp_relation(target_relation) -%}
  {%- set staged = make_intermediate_relation(target_relation) -%}
  {%- set backup = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}

  {%- set from_scratch = should_full_refresh() or existing.is_view -%}
  {%- set rebuilds = existing is none or from_scratch -%}
  {%- set swaps = rebuilds and existing is not none -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}

  {%- do drop_relation_if_exists(load_cached_relation(staged)) -%}
  {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {#- Even where it is not needed yet: a wrong name should fail the first run, not the second. -#}
  {%- set strategy_macro = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}

  {%- if rebuilds -%}
    {%- set built = staged if swaps else target_relation -%}
    {%- set build_sql = get_create_table_as_sql(False, built, sql) -%}
  {%- else -%}
    {%- do run_query(get_create_table_as_sql(True, temp_relation, sql)) -%}
    {%- if not config.get('contract').enforced -%}
      {%- do adapter.expand_target_column_types(from_relation=temp_relation, to_relation=target_relation) -%}
    {%- endif -%}
    {%- set dest_columns = process_schema_changes(on_schema_change, temp_relation, existing)
                           or adapter.get_columns_in_relation(existing) -%}
    {%- set build_sql = strategy_macro({
      'target_relation': target_relation,
      'temp_relation': temp_relation,
      'unique_key': config.get('unique_key'),
      'dest_columns': dest_columns,
      'incremental_predicates': config.get('predicates', none) or config.get('incremental_predicates', none),
    }) -%}
  {%- endif -%}

  {%- call statement('main') -%}
    {{ build_sql }}
  {%- endcall -%}

  {%- if rebuilds -%}
    {%- do create_indexes(built) -%}
  {%- endif -%}
  {%- set left = replace_relation(existing, staged, target_relation, backup) if swaps else none -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, from_scratch)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do adapter.commit() -%}

  {%- do drop_relation_if_exists(left) -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
