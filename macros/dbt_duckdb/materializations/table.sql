{#
  Made under a working name and renamed into place in one transaction, so that readers see the old table or the new
  one. A table with foreign keys cannot be renamed, and is replaced in place within the transaction instead.
#}
{%- materialization table, adapter='duckdb', supported_languages=['sql', 'python'] -%}
  {%- set language = model['language'] -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set staged = make_intermediate_relation(target_relation) -%}
  {%- set backup = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}
  {%- set leftovers = [load_cached_relation(staged), load_cached_relation(backup)] -%}
  {#- DuckLake before 1.5.3 loses a table's layout in a rename, and cannot comment in the same transaction. -#}
  {%- set finishes_after_commit = adapter.use_ducklake_table_workarounds(target_relation) -%}
  {%- set in_place = has_foreign_key_constraints(existing) -%}

  {%- for leftover in leftovers -%}
    {%- do drop_relation_if_exists(leftover) -%}
  {%- endfor -%}
  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- set partitioned_by = duckdb__get_partitioned_by(target_relation, false) -%}
  {%- set sorted_by = duckdb__get_sorted_by(target_relation, false) -%}
  {%- set dependents = drop_relation_for_rebuild(existing) if in_place and existing is not none else [] -%}
  {%- call statement('main', language=language) -%}
    {{ create_table_as(
      False, target_relation if in_place else staged, compiled_code, language,
      partitioned_by=partitioned_by, sorted_by=sorted_by
    ) }}
  {%- endcall -%}
  {%- if not in_place -%}
    {%- if existing is not none -%}
      {%- do drop_indexes_on_relation(existing) -%}
      {%- if existing.is_table and may_be_foreign_key_target(existing) -%}
        {%- set dependents = drop_foreign_key_dependents(existing) -%}
      {%- endif -%}
      {%- do adapter.rename_relation(existing, backup) -%}
    {%- endif -%}
    {%- do adapter.rename_relation(staged, target_relation) -%}
  {%- endif -%}
  {%- do restore_foreign_key_dependents(dependents) -%}
  {%- do create_indexes(target_relation) -%}

  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
  {%- if not finishes_after_commit -%}
    {%- do persist_docs(target_relation, model) -%}
  {%- endif -%}
  {%- do adapter.commit() -%}

  {%- if finishes_after_commit -%}
    {%- if partitioned_by -%}
      {%- call statement(auto_begin=False) -%}
        {{ duckdb__alter_table_set_partitioned_by(target_relation, partitioned_by) }}
      {%- endcall -%}
    {%- endif -%}
    {%- if sorted_by -%}
      {%- call statement(auto_begin=False) -%}
        {{ duckdb__alter_table_set_sorted_by(target_relation, sorted_by) }}
      {%- endcall -%}
    {%- endif -%}
    {%- do persist_docs(target_relation, model) -%}
  {%- endif -%}

  {%- do drop_relation_if_exists(backup) -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
