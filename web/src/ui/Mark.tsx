/** A magpie and its bridge in one line: the arch from right to left, then the tail, back, head, beak and breast of the bird. */
export function Mark({ size = 40 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 48 48" fill="none" aria-hidden focusable="false">
      <g strokeWidth="3" strokeLinecap="round" strokeLinejoin="round">
        <path
          d="M44 39.5C38.5 31.5 31.5 27.3 24 27.3S9.5 31.5 4 39.5C6.5 31.5 11.5 25.5 19 20c4.5-7 10-10.5 15-10.5 3.2 0 5.2 1.8 5.7 4.2l4 1.8-4.4 1.7c-1.2 5.3-6 9.6-12.8 10"
          stroke="var(--ink)"
        />
        <path d="M20 21c4.5.8 9-.7 11.5-4.3" stroke="var(--sheen)" />
      </g>
      <circle cx="34.6" cy="13.7" r="1.3" fill="var(--ink)" />
    </svg>
  );
}
