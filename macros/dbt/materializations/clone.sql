{#
  Gives a node of another state its place in this target: a real clone where the warehouse has them and the other
  one is a table, a view on it otherwise. What is there already stays, but for --full-refresh.
#}
{%- materialization clone, default -%}
  {%- if not defer_relation -%}
    {%- do log('No relation found in state manifest for ' ~ model.unique_id, info=True) -%}
    {%- do return({'relations': []}) -%}
  {%- endif -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- if existing and not flags.FULL_REFRESH -%}
    {%- do log('Relation ' ~ existing ~ ' already exists', info=True) -%}
    {%- do return({'relations': []}) -%}
  {%- endif -%}

  {%- set original = load_cached_relation(defer_relation) -%}
  {%- if not (original and original.type == 'table' and can_clone_table()) -%}
    {#- Its query is by now a select from the other one. A materialization cannot be dispatched, so it is looked up. -#}
    {%- set name = 'materialization_view_' ~ adapter.type() -%}
    {%- set view = context[name if name in context else 'materialization_view_default'] -%}
    {%- do return(view()) -%}
  {%- endif -%}

  {%- set target_relation = this.incorporate(type='table') -%}
  {%- if existing is not none and not existing.is_table -%}
    {%- do log('Dropping ' ~ existing.render() ~ ', a ' ~ existing.type ~ ' in the place of a table') -%}
    {%- do drop_relation_if_exists(existing) -%}
  {%- endif -%}
  {%- if (target_relation.database, target_relation.schema, target_relation.identifier)
      == (defer_relation.database, defer_relation.schema, defer_relation.identifier) -%}
    {%- do log('Target relation and defer relation are the same, skipping clone for relation: ' ~ target_relation.render()) -%}
  {%- else -%}
    {%- call statement('main') -%}
      {{ create_or_replace_clone(target_relation, defer_relation) }}
    {%- endcall -%}
  {%- endif -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}


{# Whether the warehouse copies a table without copying its data. #}
{% macro can_clone_table() %}
  {{ return(adapter.dispatch('can_clone_table', 'dbt')()) }}
{% endmacro %}

{% macro default__can_clone_table() %}
  {{ return(False) }}
{% endmacro %}

{% macro create_or_replace_clone(this_relation, defer_relation) %}
  {{ return(adapter.dispatch('create_or_replace_clone', 'dbt')(this_relation, defer_relation)) }}
{% endmacro %}

{% macro default__create_or_replace_clone(this_relation, defer_relation) %}
  create or replace table {{ this_relation.render() }} clone {{ defer_relation.render() }}
{% endmacro %}
