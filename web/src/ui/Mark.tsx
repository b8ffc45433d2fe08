/** A magpie on its bridge, drawn in one line: the arch of the bridge runs on into the tail, back, head and beak of the bird. */
export function Mark({ size = 40 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 48 48" fill="none" aria-hidden focusable="false">
      <path d="M3 39c6-9 13-13.5 21-13.500S39 30 45 39" stroke="var(--ink)" strokeWidth="3" strokeLinecap="round" />
      <path
        d="M6.5 24.5 19 19.500c4.5-7 10-10.5 15-10.5 3.2 0 5.2 1.8 5.7 4.200l4 1.8-4.4 1.700c-1.2 5.3-6 9-12.8 8.8"
        stroke="var(--ink)"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <path d="M20 20.500c4.5.8 9-.7 11.5-4.3" stroke="var(--sheen)" strokeWidth="3" strokeLinecap="round" />
      <circle cx="34.6" cy="13.2" r="1.3" fill="var(--ink)" />
    </svg>
  );
}
