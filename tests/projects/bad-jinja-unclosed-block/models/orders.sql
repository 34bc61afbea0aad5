select 1 as id
{% if true %}
where 1 = 1
