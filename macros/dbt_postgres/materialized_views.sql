{# Materialized views: made with their indexes, refreshed, and changed where the configured indexes changed. #}

{% macro postgres__get_create_materialized_view_as_sql(relation, sql) %}
    create materialized view if not exists {{ relation }} as {{ sql }};
    {% for index in config.get('indexes', []) -%}
    {{ get_create_index_sql(relation, index) }};
    {% endfor -%}
{% endmacro %}

{% macro postgres__refresh_materialized_view(relation) %}
    refresh materialized view {{ relation }}
{% endmacro %}

{# Beside its dependents: `finish_replacement` does the rest. #}
{% macro postgres__get_replace_sql(existing_relation, target_relation, sql) %}
  {%- if not target_relation.is_materialized_view or _postgres_cascades() -%}
    {{ return(default__get_replace_sql(existing_relation, target_relation, sql)) }}
  {%- endif -%}
  {%- set backup = make_backup_relation(target_relation, existing_relation.type) -%}
    {{ get_create_intermediate_sql(target_relation, sql) }};
    {{ _postgres_set_aside_sql(existing_relation, backup) }};
    {{ get_rename_intermediate_sql(target_relation) }}
{% endmacro %}

{# What is known of the one that is there: its indexes. #}
{% macro postgres__describe_materialized_view(relation) %}
  {%- do return({'indexes': run_query(get_show_indexes_sql(relation))}) -%}
{% endmacro %}

{% macro postgres__get_materialized_view_configuration_changes(existing_relation, new_config) %}
  {%- do return(existing_relation.get_materialized_view_config_change_collection(
    postgres__describe_materialized_view(existing_relation), new_config.model
  )) -%}
{% endmacro %}

{% macro postgres__get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
  {%- if configuration_changes.requires_full_refresh -%}
    {{ get_replace_sql(existing_relation, relation, sql) }}
  {%- else -%}
    {{ postgres__update_indexes_on_materialized_view(relation, configuration_changes.indexes) }}
  {%- endif -%}
{% endmacro %}

{%- macro postgres__update_indexes_on_materialized_view(relation, index_changes) -%}
  {%- do log('Applying UPDATE INDEXES to: ' ~ relation) -%}
  {%- for change in index_changes -%}
    {%- if change.action == 'drop' -%}
    {{ postgres__get_drop_index_sql(relation, change.context.name) }};
    {%- elif change.action == 'create' -%}
    {{ postgres__get_create_index_sql(relation, change.context.as_node_config) }};
    {%- endif %}
  {% endfor -%}
{%- endmacro -%}
