{#
  A view is made under a working name and renamed into place in one transaction, so that readers see the old one
  or the new one, never neither. The old one goes after the commit.
#}
{%- materialization view, default -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set staged = make_intermediate_relation(target_relation) -%}
  {%- set backup = make_backup_relation(target_relation, 'view' if existing is none else existing.type) -%}
  {#- Looked up now: what a killed run left behind, not what a hook may make. -#}
  {%- set leftovers = [load_cached_relation(staged), load_cached_relation(backup)] -%}

  {%- do run_hooks(pre_hooks, inside_transaction=False) -%}
  {%- for leftover in leftovers -%}
    {%- do drop_relation_if_exists(leftover) -%}
  {%- endfor -%}
  {%- do run_hooks(pre_hooks, inside_transaction=True) -%}

  {%- call statement('main') -%}
    {{ get_create_view_as_sql(staged, sql) }}
  {%- endcall -%}

  {#- Asked again: making the view, or a hook, may have removed it. -#}
  {%- set replaced = load_cached_relation(existing) if existing is not none else none -%}
  {%- set left = replace_relation(replaced, staged, target_relation, backup) -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(replaced, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do run_hooks(post_hooks, inside_transaction=True) -%}
  {%- do adapter.commit() -%}

  {%- do drop_relation_if_exists(left) -%}
  {%- do run_hooks(post_hooks, inside_transaction=False) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
