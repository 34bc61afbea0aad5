select id,
  amuont
from (select 1 as id, 10 as amount)
