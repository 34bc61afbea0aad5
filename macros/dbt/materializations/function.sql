{# A user-defined function. Its type and language choose the macro that writes its statement. #}
{%- materialization function, default, supported_languages=['sql', 'python', 'javascript'] -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type=this.Function) -%}
  {%- do run_hooks(pre_hooks) -%}
  {#- Under another name, since a dispatch whose macro is only known now cannot be followed while parsing. -#}
  {%- set find_macro = adapter.dispatch -%}
  {%- set build_macro = find_macro(this.get_function_macro_name(this.get_function_config(model)), 'dbt') -%}
  {%- do function_execute_build_sql(build_macro(target_relation), existing, target_relation) -%}
  {%- do run_hooks(post_hooks) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}


{% macro function_execute_build_sql(build_sql, existing_relation, target_relation) %}
  {{ return(adapter.dispatch('function_execute_build_sql', 'dbt')(build_sql, existing_relation, target_relation)) }}
{% endmacro %}

{% macro default__function_execute_build_sql(build_sql, existing_relation, target_relation) %}
  {%- call statement(name='main') -%}
    {{ build_sql }}
  {%- endcall -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- do adapter.commit() -%}
{% endmacro %}
