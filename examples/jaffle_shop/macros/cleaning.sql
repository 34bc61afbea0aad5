{#- Text without spaces at its ends or doubled ones inside; nothing instead of an empty one. -#}
{% macro tidy(expression) -%}
    nullif(trim(regexp_replace({{ expression }}, '\s+', ' ', 'g')), '')
{%- endmacro %}

{#- Each word with a capital, whatever keys were stuck. -#}
{% macro title_case(expression) -%}
    array_to_string(
        list_transform(
            string_split(lower({{ tidy(expression) }}), ' '),
            lambda word: upper(word[1]) || word[2:]
        ),
        ' '
    )
{%- endmacro %}

{#- An amount that was typed with or without its currency sign. -#}
{% macro to_amount(expression) -%}
    cast(replace({{ tidy(expression) }}, '$', '') as decimal(10, 2))
{%- endmacro %}

{#- True for the ways people say yes, false for those they say no, else null. -#}
{% macro to_flag(expression) -%}
    case
        when lower({{ tidy(expression) }}) in ('y', 'yes', 'true', '1') then true
        when lower({{ tidy(expression) }}) in ('n', 'no', 'false', '0') then false
    end
{%- endmacro %}

{#- A day that was written 2025-01-31 or 31/01/2025. -#}
{% macro to_day(expression) -%}
    coalesce(
        try_strptime({{ tidy(expression) }}, '%Y-%m-%d'),
        try_strptime({{ tidy(expression) }}, '%d/%m/%Y')
    )::date
{%- endmacro %}
