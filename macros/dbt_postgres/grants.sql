{# Grants: those that this role gave to others. A replaced table starts without any. #}

{%- macro postgres__get_show_grant_sql(relation) -%}
    select grantee, privilege_type
    from {{ relation.information_schema('role_table_grants') }}
    where table_schema = '{{ relation.schema }}'
      and table_name = '{{ relation.identifier }}'
      and grantor = current_role
      and grantee <> current_role
{%- endmacro -%}

{% macro postgres__copy_grants() %}
  {{ return(False) }}
{% endmacro %}
