{#
  The first run, and a full refresh, make the table as `table` does. Any other run stages the query's rows, brings
  the columns into line, and lets the strategy write the statement that moves the rows.
#}
{%- materialization incremental, adapter='duckdb', supported_languages=['sql', 'python'] -%}
  {%- set language = model['language'] -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set staged = make_intermediate_relation(target_relation) -%}
  {%- set backup = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}

  {%- set from_scratch = should_full_refresh() or existing.is_view -%}
  {%- set rebuilds = existing is none or from_scratch -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set partitioned_by = duckdb__get_partitioned_by(target_relation, false) if rebuilds else none -%}
  {%- set sorted_by = duckdb__get_sorted_by(target_relation, false) if rebuilds else none -%}
  {%- set has_layout = (partitioned_by or sorted_by) and adapter.is_ducklake(target_relation) -%}

  {%- do drop_relation_if_exists(load_cached_relation(staged)) -%}
  {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}

  {%- set temp = duckdb__dispatch_temporary_relation(target_relation, adapter.batch_id_for_model(model)) -%}
  {%- set finished_with = [] if temp.temporary else [temp.relation] -%}
  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- set in_place = existing is none or (from_scratch and has_foreign_key_constraints(existing)) -%}
  {%- set dependents = drop_relation_for_rebuild(existing) if in_place and existing is not none else [] -%}
  {%- if rebuilds -%}
    {%- set build_sql = create_table_as(
      False, target_relation if in_place else staged, compiled_code, language,
      partitioned_by=partitioned_by, sorted_by=sorted_by
    ) -%}
  {%- else -%}
    {%- set stage = create_table_as(temp.temporary, temp.relation, compiled_code, language) -%}
    {%- if language == 'python' -%}
      {%- call statement('pre', language=language) -%}
        {{- stage -}}
      {%- endcall -%}
    {%- else -%}
      {%- do run_query(stage) -%}
    {%- endif -%}
    {%- do adapter.expand_target_column_types(from_relation=temp.relation, to_relation=target_relation) -%}
    {%- set dest_columns = process_schema_changes(on_schema_change, temp.relation, existing)
                           or adapter.get_columns_in_relation(existing) -%}
    {%- set strategy_macro = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
    {%- set build_sql = strategy_macro({
      'target_relation': target_relation,
      'temp_relation': temp.relation,
      'unique_key': config.get('unique_key'),
      'dest_columns': dest_columns,
      'incremental_predicates': config.get('predicates', none) or config.get('incremental_predicates', none),
    }) -%}
    {%- set language = 'sql' -%}
  {%- endif -%}

  {#- A layout cannot be declared on a DuckLake table within the transaction that makes it. -#}
  {%- call statement('main', language=language, auto_begin=not has_layout) -%}
    {{- build_sql -}}
  {%- endcall -%}

  {%- if rebuilds and not in_place -%}
    {%- do drop_indexes_on_relation(target_relation) -%}
    {%- if may_be_foreign_key_target(target_relation) -%}
      {%- set dependents = drop_foreign_key_dependents(target_relation) -%}
    {%- endif -%}
    {%- do adapter.rename_relation(target_relation, backup) -%}
    {%- do adapter.rename_relation(staged, target_relation) -%}
    {%- do finished_with.append(backup) -%}
  {%- endif -%}
  {%- do restore_foreign_key_dependents(dependents) -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, from_scratch)) -%}
  {%- if rebuilds -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do adapter.commit() -%}

  {%- for relation in finished_with -%}
    {#- MotherDuck drops a table's indexes with it. -#}
    {%- if not adapter.is_motherduck() -%}
      {%- do drop_indexes_on_relation(relation) -%}
    {%- endif -%}
    {%- do adapter.drop_relation(relation) -%}
  {%- endfor -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
