{% test no_twins(model, columns) %}

select
    {{ columns | join(',\n    ') }},
    count(*) as rows_alike
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
