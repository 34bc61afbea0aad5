select 'Dear ' || passenger as salutation from {{ ref('refund_watch') }}
