select id, upper(name) as name, price * 2 as price, fresh, since + 1 as next from {{ ref('prices') }}
