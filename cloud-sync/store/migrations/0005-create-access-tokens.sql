-- Who may use the operators' interface. The token itself is shown once and kept nowhere (I42).

create table access_tokens (
  token_no integer generated always as identity primary key,
  name text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  -- SHA-256 of the token, hexadecimal.
  token_hash text not null unique,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
