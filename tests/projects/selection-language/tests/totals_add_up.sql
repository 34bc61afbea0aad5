select * from {{ ref('orders') }} join {{ ref('stg_orders') }} using (order_id) where false
