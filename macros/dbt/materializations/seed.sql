{#
  A seed's table is made once; later runs empty it and load the file again, so that what reads it stays whole.
  Its "main" statement is put on file, not run: the rows went in by `load_csv_rows`.
#}
{%- materialization seed, default -%}
  {%- set existing = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
  {%- set there = existing is not none and existing.is_table -%}
  {%- set full_refresh_mode = should_full_refresh() -%}
  {%- set agate_table = load_agate_table() -%}
  {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}

  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- if there -%}
    {%- set table_sql = reset_csv_table(model, full_refresh_mode, existing, agate_table) -%}
  {%- elif existing is not none and existing.is_view -%}
    {%- do exceptions.raise_compiler_error('The seed cannot be loaded: its name ' ~ existing.render() ~ ' is taken by a view') -%}
  {%- else -%}
    {%- set table_sql = create_csv_table(model, agate_table) -%}
  {%- endif -%}

  {%- set count = agate_table.rows | length -%}
  {%- set rows_sql = load_csv_rows(model, agate_table) if count > 0 else '' -%}
  {%- if there and full_refresh_mode -%}
    {%- do finish_replacement(this.incorporate(type='table')) -%}
  {%- endif -%}
  {%- set code = 'CREATE' if full_refresh_mode else 'INSERT' -%}
  {%- call noop_statement('main', code ~ ' ' ~ count, code, count) -%}
    {{ get_csv_sql(table_sql, rows_sql) }};
  {%- endcall -%}

  {%- set target_relation = this.incorporate(type='table') -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- if full_refresh_mode or not there -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do adapter.commit() -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
