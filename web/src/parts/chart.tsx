/** Lines over time. What they show is in a table beside it, for those who do not see them. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'

/** One line. */
export interface Line {
  readonly label: string
  /** One for each of the chart's times. */
  readonly values: readonly number[]
}

interface ChartProps {
  readonly label: string
  /** Seconds since 1970, rising. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly unit: string
}

const HEIGHT = 200
/** Told apart in light and dark, and by who sees no red or green; after them they begin anew, dashed. */
const COLOURS = ['#2f7fd1', '#d97706', '#0f9d8a', '#b4539b', '#7a7f87'] as const
const DASH = [6, 4]

export function Chart({ label, times, lines, unit }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { current } = place
    if (!current) return
    const style = getComputedStyle(current)
    const colour = style.color
    const axis = { stroke: colour, grid: { stroke: style.borderTopColor, width: 1 } }
    const plot = new uPlot(
      {
        width: current.clientWidth,
        height: HEIGHT,
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [axis, { ...axis, size: 64 }],
        series: [{}, ...lines.map(({ label: name }, n) => seriesOf(name, n, unit))],
      },
      [[...times], ...lines.map(({ values }) => [...values])],
      current,
    )
    const resize = new ResizeObserver(() => {
      plot.setSize({ width: current.clientWidth, height: HEIGHT })
    })
    resize.observe(current)
    return () => {
      resize.disconnect()
      plot.destroy()
    }
  }, [times, lines, unit])
  return <div ref={place} class="chart" role="img" aria-label={label} />
}

function seriesOf(label: string, n: number, unit: string): uPlot.Series {
  return {
    label,
    stroke: COLOURS[n % COLOURS.length] ?? COLOURS[0],
    width: 2,
    ...(n >= COLOURS.length ? { dash: DASH } : {}),
    value: (_plot, value) => (value === null ? '–' : `${value} ${unit}`),
  }
}
