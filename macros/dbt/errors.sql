{# The message of every macro that an adapter has to write and has not. #}
{%- macro _lacking(what) -%}
  The adapter {{ adapter.type() }} does not implement {{ what }}
{%- endmacro -%}
