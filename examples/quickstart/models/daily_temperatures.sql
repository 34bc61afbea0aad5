select
    sensor,
    read_at::date as day,
    count(celsius) as readings,
    avg(celsius) as mean_celsius
from {{ ref('readings') }}
group by sensor, read_at::date
