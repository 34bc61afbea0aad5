select count(*) as beats from {{ ref('weak') }}
