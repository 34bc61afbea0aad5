{#
  Putting a new relation where another one is. In order of preference: one statement that replaces; building
  beside it and swapping, with or without keeping the old one; moving the old one away first; and where nothing
  can be renamed, dropping before creating.
#}

{% macro get_replace_sql(existing_relation, target_relation, sql) %}
  {%- do log('Applying REPLACE to: ' ~ existing_relation) -%}
  {{ adapter.dispatch('get_replace_sql', 'dbt')(existing_relation, target_relation, sql) }}
{%- endmacro %}

{% macro default__get_replace_sql(existing_relation, target_relation, sql) %}
  {%- set in_one_statement = existing_relation.can_be_replaced and existing_relation.type == target_relation.type -%}
  {%- if in_one_statement and target_relation.is_table -%}
    {{ get_replace_table_sql(target_relation, sql) }}
  {%- elif in_one_statement and target_relation.is_view -%}
    {{ get_replace_view_sql(target_relation, sql) }}
  {%- elif in_one_statement and target_relation.is_materialized_view -%}
    {{ get_replace_materialized_view_sql(target_relation, sql) }}
  {%- elif target_relation.can_be_renamed -%}
    {{ get_create_intermediate_sql(target_relation, sql) }};
    {% if existing_relation.can_be_renamed -%}
      {{ get_create_backup_sql(existing_relation) }};
      {{ get_rename_intermediate_sql(target_relation) }};
      {{ get_drop_backup_sql(existing_relation) }}
    {%- else -%}
      {{ get_drop_sql(existing_relation) }};
      {{ get_rename_intermediate_sql(target_relation) }}
    {%- endif -%}
  {%- elif existing_relation.can_be_renamed -%}
    {{ get_create_backup_sql(existing_relation) }};
    {{ get_create_sql(target_relation, sql) }};
    {{ get_drop_backup_sql(existing_relation) }}
  {%- else -%}
    {{ get_drop_sql(existing_relation) }};
    {{ get_create_sql(target_relation, sql) }}
  {%- endif -%}
{% endmacro %}


{% macro get_replace_table_sql(relation, sql) %}
  {{- adapter.dispatch('get_replace_table_sql', 'dbt')(relation, sql) -}}
{% endmacro %}

{% macro default__get_replace_table_sql(relation, sql) %}
  {%- do exceptions.raise_compiler_error(_lacking('get_replace_table_sql')) -%}
{% endmacro %}

{% macro get_replace_view_sql(relation, sql) %}
  {{- adapter.dispatch('get_replace_view_sql', 'dbt')(relation, sql) -}}
{% endmacro %}

{% macro default__get_replace_view_sql(relation, sql) %}
  {%- do exceptions.raise_compiler_error(_lacking('get_replace_view_sql')) -%}
{% endmacro %}

{% macro get_replace_materialized_view_sql(relation, sql) %}
  {{- adapter.dispatch('get_replace_materialized_view_sql', 'dbt')(relation, sql) -}}
{% endmacro %}

{% macro default__get_replace_materialized_view_sql(relation, sql) %}
  {%- do exceptions.raise_compiler_error(_lacking('get_replace_materialized_view_sql')) -%}
{% endmacro %}


{# The steps of a swap, each as SQL. What an interrupted run may have left under a working name goes first. #}

{%- macro get_create_intermediate_sql(relation, sql) -%}
  {%- do log('Applying CREATE INTERMEDIATE to: ' ~ relation) -%}
  {{ adapter.dispatch('get_create_intermediate_sql', 'dbt')(relation, sql) }}
{%- endmacro -%}

{%- macro default__get_create_intermediate_sql(relation, sql) -%}
  {%- set staged = make_intermediate_relation(relation) -%}
  {{ get_drop_sql(staged) }};
  {{ get_create_sql(staged, sql) }}
{%- endmacro -%}

{%- macro get_rename_intermediate_sql(relation) -%}
  {%- do log('Applying RENAME INTERMEDIATE to: ' ~ relation) -%}
  {{ adapter.dispatch('get_rename_intermediate_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_rename_intermediate_sql(relation) -%}
  {{ get_rename_sql(make_intermediate_relation(relation), relation.identifier) }}
{%- endmacro -%}

{%- macro get_create_backup_sql(relation) -%}
  {%- do log('Applying CREATE BACKUP to: ' ~ relation) -%}
  {{ adapter.dispatch('get_create_backup_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_create_backup_sql(relation) -%}
  {%- set backup = make_backup_relation(relation, relation.type) -%}
  {{ get_drop_sql(backup) }};
  {{ get_rename_sql(relation, backup.identifier) }}
{%- endmacro -%}

{%- macro get_drop_backup_sql(relation) -%}
  {%- do log('Applying DROP BACKUP to: ' ~ relation) -%}
  {{ adapter.dispatch('get_drop_backup_sql', 'dbt')(relation) }}
{%- endmacro -%}

{%- macro default__get_drop_backup_sql(relation) -%}
  {{ get_drop_sql(make_backup_relation(relation, relation.type)) }}
{%- endmacro -%}


{#
  Puts a relation that was built under a working name in the place of another one (or of none), and gives back what is left
  to be dropped after the commit.
#}
{% macro replace_relation(existing, staged, target_relation, backup) %}
  {{ return(adapter.dispatch('replace_relation', 'dbt')(existing, staged, target_relation, backup)) }}
{% endmacro %}

{% macro default__replace_relation(existing, staged, target_relation, backup) %}
  {%- if existing is not none -%}
    {%- do adapter.rename_relation(existing, backup) -%}
  {%- endif -%}
  {%- do adapter.rename_relation(staged, target_relation) -%}
  {{ return(backup) }}
{% endmacro %}

{# What is left of a replacement that began before the new relation was there. #}
{% macro finish_replacement(target_relation) %}
  {{ return(adapter.dispatch('finish_replacement', 'dbt')(target_relation)) }}
{% endmacro %}

{% macro default__finish_replacement(target_relation) %}
{% endmacro %}


{#
  A whole view materialization for warehouses with `create or replace view`; adapters' own view
  materializations call it.
#}
{% macro create_or_replace_view() %}
  {%- set existing = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
  {%- set target_relation = api.Relation.create(database=database, schema=schema, identifier=model['alias'], type='view') -%}

  {%- do run_hooks(pre_hooks) -%}

  {%- if existing is not none and existing.is_table -%}
    {%- do handle_existing_table(should_full_refresh(), existing) -%}
  {%- endif -%}
  {%- call statement('main') -%}
    {{ get_create_view_as_sql(target_relation, sql) }}
  {%- endcall -%}

  {%- set replaced = existing is not none and existing.is_view -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(replaced, full_refresh_mode=True)) -%}
  {%- do run_hooks(post_hooks) -%}
  {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{# A table stands where the view is to be. #}
{% macro handle_existing_table(full_refresh, old_relation) %}
  {{ adapter.dispatch('handle_existing_table', 'dbt')(full_refresh, old_relation) }}
{% endmacro %}

{% macro default__handle_existing_table(full_refresh, old_relation) %}
  {%- do log('Dropping ' ~ old_relation.render() ~ ', a ' ~ old_relation.type ~ ' in the place of a view') -%}
  {%- do adapter.drop_relation(old_relation) -%}
{% endmacro %}
