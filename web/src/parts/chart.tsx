/** Lines over time. What they show is in a table beside it, for those who do not see them. */
import { useEffect, useRef, useState } from 'preact/hooks'
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
  const dark = useDark()
  useEffect(() => {
    const { current } = place
    if (!current) return
    const style = getComputedStyle(current)
    const colour = style.color
    const line = { stroke: style.borderTopColor, width: 1 }
    const axis = { stroke: colour, grid: line, ticks: { ...line, size: 4 } }
    const plot = new uPlot(
      {
        width: current.clientWidth,
        height: HEIGHT,
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          { ...axis, values: shownTimes, size: 32 },
          { ...axis, size: 56 },
        ],
        series: [
          { value: (_plot, at) => (at === null ? '' : moment.format(at * 1_000)) },
          ...lines.map(({ label: name }, n) => seriesOf(name, n, unit)),
        ],
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
  }, [times, lines, unit, dark])
  return <div ref={place} class="chart" role="img" aria-label={label} />
}

/** Whether the page is dark at the moment: a canvas does not follow by itself. */
function useDark(): boolean {
  const [query] = useState(() => matchMedia('(prefers-color-scheme: dark)'))
  const [dark, setDark] = useState(query.matches)
  useEffect(() => {
    const update = () => setDark(query.matches)
    query.addEventListener('change', update)
    return () => query.removeEventListener('change', update)
  }, [query])
  return dark
}

const DAY_S = 86_400
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

/** Times of day, and the day where one begins. */
const shownTimes = (_plot: uPlot, times: number[], _axis: number, _space: number, step: number) =>
  times.map((at) => {
    const date = new Date(at * 1_000)
    const begins = step >= DAY_S || date.getHours() + date.getMinutes() === 0
    return (begins ? day : clock).format(date)
  })

function seriesOf(label: string, n: number, unit: string): uPlot.Series {
  return {
    label,
    stroke: COLOURS[n % COLOURS.length] ?? COLOURS[0],
    width: 2,
    points: { size: 5 },
    ...(n >= COLOURS.length ? { dash: DASH } : {}),
    value: (_plot, value) => (value === null ? '' : `${value} ${unit}`),
  }
}
