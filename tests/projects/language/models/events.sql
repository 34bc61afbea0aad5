{{ config(materialized='incremental') }}
select id, price, {{ tax() }} as tax, {{ shop.tax() }} as own_tax
from {{ ref('raw_events') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
