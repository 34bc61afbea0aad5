{# As a view is made: under a working name, renamed into place in one transaction, the old one dropped after it. #}
{%- materialization table, default -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set staged = make_intermediate_relation(target_relation) -%}
  {%- set backup = make_backup_relation(target_relation, 'table' if existing is none else existing.type) -%}

  {%- do drop_relation_if_exists(load_cached_relation(staged)) -%}
  {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- call statement('main') -%}
    {{ get_create_table_as_sql(False, staged, sql) }}
  {%- endcall -%}
  {%- do create_indexes(staged) -%}

  {#- Asked again: the build, or a hook, may have removed it. -#}
  {%- set replaced = load_cached_relation(existing) if existing is not none else none -%}
  {%- set left = replace_relation(replaced, staged, target_relation, backup) -%}

  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(replaced, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do adapter.commit() -%}

  {%- do drop_relation_if_exists(left) -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
