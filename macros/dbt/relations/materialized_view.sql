{# Changing a materialized view in place. No adapter here has them; those that do override these. #}

{% macro get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
  {%- do log('Applying ALTER to: ' ~ relation) -%}
  {{ adapter.dispatch('get_alter_materialized_view_as_sql', 'dbt')(
    relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation
  ) }}
{%- endmacro %}

{% macro default__get_alter_materialized_view_as_sql(relation, configuration_changes, sql, existing_relation, backup_relation, intermediate_relation) %}
  {%- do exceptions.raise_compiler_error(_lacking('materialized views')) -%}
{% endmacro %}


{# What differs between the view that is there and its new config, in whatever form the alter macro reads; none if nothing. #}
{% macro get_materialized_view_configuration_changes(existing_relation, new_config) %}
  {%- do log('Determining configuration changes on: ' ~ existing_relation) -%}
  {%- do return(adapter.dispatch('get_materialized_view_configuration_changes', 'dbt')(existing_relation, new_config)) -%}
{% endmacro %}

{% macro default__get_materialized_view_configuration_changes(existing_relation, new_config) %}
  {%- do exceptions.raise_compiler_error(_lacking('materialized views')) -%}
{% endmacro %}


{% macro refresh_materialized_view(relation) %}
  {%- do log('Applying REFRESH to: ' ~ relation) -%}
  {{ adapter.dispatch('refresh_materialized_view', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__refresh_materialized_view(relation) %}
  {%- do exceptions.raise_compiler_error(_lacking('refresh_materialized_view')) -%}
{% endmacro %}
