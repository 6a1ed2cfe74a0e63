/** The mark: a bird on its perch. */
export function Brand({ size = 'small' }: { size?: 'small' | 'large' }) {
  return (
    <span className="flex items-center gap-2.5">
      <svg viewBox="0 0 32 32" aria-hidden="true" className={size === 'large' ? 'size-12' : 'size-7'}>
        <rect width="32" height="32" rx="8" fill="#0b6b63" />
        <path d="M7 22h18" stroke="#99f6e4" strokeWidth="2.4" strokeLinecap="round" />
        <path d="M11.5 22c0-6 2.6-11 8-11 1.9 0 3.2.9 3.7 2.4l2.3 1.1-2.3 1.1c-.3 3.6-2.6 6.4-6.4 6.4z" fill="#fff" />
        <circle cx="20.4" cy="13.9" r="1" fill="#0b6b63" />
      </svg>
      {size === 'small' && <span className="text-base font-semibold tracking-tight">Roost</span>}
    </span>
  );
}
