{# Who may do what with a relation: `grants` in a node's config, against what the warehouse says. #}

{# Whether a replaced relation keeps the grants of the one before. True costs a look, false may leave one behind. #}
{% macro copy_grants() %}
  {{ return(adapter.dispatch('copy_grants', 'dbt')()) }}
{% endmacro %}

{% macro default__copy_grants() %}
  {{ return(True) }}
{% endmacro %}


{# Whether one statement may name several grantees. #}
{% macro support_multiple_grantees_per_dcl_statement() %}
  {{ return(adapter.dispatch('support_multiple_grantees_per_dcl_statement', 'dbt')()) }}
{% endmacro %}

{%- macro default__support_multiple_grantees_per_dcl_statement() -%}
  {{ return(True) }}
{%- endmacro -%}


{# Older grants can only be there if the relation was, and was either kept or replaced by one that inherits them. #}
{% macro should_revoke(existing_relation, full_refresh_mode=True) %}
  {%- if not existing_relation -%}
    {%- do return(False) -%}
  {%- endif -%}
  {{ return(copy_grants() if full_refresh_mode else True) }}
{% endmacro %}


{% macro get_show_grant_sql(relation) %}
  {{ return(adapter.dispatch('get_show_grant_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_show_grant_sql(relation) %}
    show grants on {{ relation.render() }}
{% endmacro %}


{% macro get_grant_sql(relation, privilege, grantees) %}
  {{ return(adapter.dispatch('get_grant_sql', 'dbt')(relation, privilege, grantees)) }}
{% endmacro %}

{%- macro default__get_grant_sql(relation, privilege, grantees) -%}
  grant {{ privilege }} on {{ relation.render() }} to {{ grantees | join(', ') }}
{%- endmacro -%}


{% macro get_revoke_sql(relation, privilege, grantees) %}
  {{ return(adapter.dispatch('get_revoke_sql', 'dbt')(relation, privilege, grantees)) }}
{% endmacro %}

{# Grantees come from the warehouse here, with any characters, so they are quoted; in grant they are as configured. #}
{%- macro default__get_revoke_sql(relation, privilege, grantees) -%}
  {%- set names = [] -%}
  {%- for grantee in grantees -%}
    {%- do names.append(adapter.quote(grantee)) -%}
  {%- endfor -%}
  revoke {{ privilege }} on {{ relation.render() }} from {{ names | join(', ') }}
{%- endmacro -%}


{# One statement for each privilege, or for each pair; `get_dcl_macro` is get_grant_sql or get_revoke_sql. #}
{% macro get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}
  {{ return(adapter.dispatch('get_dcl_statement_list', 'dbt')(relation, grant_config, get_dcl_macro)) }}
{% endmacro %}

{%- macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) -%}
  {%- set together = support_multiple_grantees_per_dcl_statement() -%}
  {%- set statements = [] -%}
  {%- for privilege, grantees in grant_config.items() if grantees -%}
    {%- for group in ([grantees] if together else grantees | batch(1)) -%}
      {%- do statements.append(get_dcl_macro(relation, privilege, group)) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(statements) }}
{%- endmacro %}


{% macro call_dcl_statements(dcl_statement_list) %}
  {{ return(adapter.dispatch('call_dcl_statements', 'dbt')(dcl_statement_list)) }}
{% endmacro %}

{# All in one go; a warehouse that takes one statement at a time overrides this. #}
{% macro default__call_dcl_statements(dcl_statement_list) %}
  {%- call statement('grants') -%}
    {%- for dcl in dcl_statement_list %}
      {{ dcl }};
    {%- endfor -%}
  {%- endcall -%}
{% endmacro %}


{% macro apply_grants(relation, grant_config, should_revoke) %}
  {{ return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) }}
{% endmacro %}

{% macro default__apply_grants(relation, grant_config, should_revoke=True) %}
  {%- if not grant_config -%}
    {%- do return('') -%}
  {%- endif -%}

  {%- set missing = grant_config -%}
  {%- set surplus = {} -%}
  {%- if should_revoke -%}
    {%- set present = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) -%}
    {%- set missing = diff_of_two_dicts(grant_config, present) -%}
    {%- set surplus = diff_of_two_dicts(present, grant_config) -%}
    {%- if not missing and not surplus -%}
      {%- do log('On ' ~ relation.render() ~ ': the grants are as configured.') -%}
    {%- endif -%}
  {%- endif -%}

  {%- set statements = get_dcl_statement_list(relation, surplus, get_revoke_sql)
                     + get_dcl_statement_list(relation, missing, get_grant_sql) -%}
  {%- if statements -%}
    {%- do call_dcl_statements(statements) -%}
  {%- endif -%}
{% endmacro %}
